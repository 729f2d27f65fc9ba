/** Versions of Python packages, PEP 440: https://packaging.python.org/en/latest/specifications/version-specifiers/ */
const pattern = new RegExp(
  [
    /^v?(?:(?<epoch>[0-9]+)!)?(?<release>[0-9]+(?:\.[0-9]+)*)/,
    /(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>[0-9]+)?)?/,
    /(?:-(?<implicitPost>[0-9]+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>[0-9]+)?)?/,
    /(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>[0-9]+)?)?/,
    /(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/,
  ]
    .map(({ source }) => source)
    .join(''),
);

const preNames: Readonly<Record<string, string>> = {
  ...{ alpha: 'a', a: 'a', beta: 'b', b: 'b' },
  ...{ preview: 'rc', pre: 'rc', c: 'rc', rc: 'rc' },
};

/**
 * The one form of all texts that mean the same version: `1.0`, `1.0.0` and `v1` are `1`, `2.0-RC.1` is `2rc1`. What is
 * no version by PEP 440 stays as it is, in lower case.
 */
export function normalVersion(text: string): string {
  const lower = text.trim().toLowerCase();
  const parts = pattern.exec(lower)?.groups;
  if (parts === undefined) return lower;
  const {
    epoch,
    release = '',
    pre,
    preNumber,
    implicitPost,
    post,
    postNumber,
    dev,
    devNumber,
    local,
  } = parts;
  const numbers = release.split('.').map(number);
  while (numbers.length > 1 && numbers.at(-1) === '0') numbers.pop();
  return [
    ...(epoch === undefined || number(epoch) === '0' ? [] : [`${number(epoch)}!`]),
    numbers.join('.'),
    ...(pre === undefined ? [] : [`${preNames[pre]}${number(preNumber)}`]),
    ...(post === undefined && implicitPost === undefined
      ? []
      : [`.post${number(implicitPost ?? postNumber)}`]),
    ...(dev === undefined ? [] : [`.dev${number(devNumber)}`]),
    ...(local === undefined ? [] : [`+${local.split(/[-_.]/).map(localPart).join('.')}`]),
  ].join('');
}

/** Without zeros in front; a number that is left out is 0. */
const number = (digits: string | undefined): string => (digits ?? '').replace(/^0+/, '') || '0';
const localPart = (part: string): string => (/^[0-9]+$/.test(part) ? number(part) : part);
