import { isThere, type NewFile } from './new-files.ts';

const places = ['CODEOWNERS', '.github/CODEOWNERS', 'docs/CODEOWNERS'];

/** Who should own what, as comments: only the team knows its names. Null where there is such a file already. */
export async function codeOwners(
  root: string,
  paths: { gate: string; contracts: string },
): Promise<NewFile | null> {
  for (const place of places) if (await isThere(`${root}/${place}`)) return null;
  const text = [
    '# Who must review a change. Put the names of your teams in, and remove the # in front.',
    '# Data science owns what is predicted and how it is judged:',
    `# /${paths.gate}        @your-organisation/data-science`,
    '# /evaluation/      @your-organisation/data-science',
    '# /features/        @your-organisation/data-science',
    '# The platform team owns how it runs:',
    '# /.github/         @your-organisation/ml-platform',
    '# /modelgate.yaml   @your-organisation/ml-platform @your-organisation/data-science',
    '# Both own what the data promise:',
    `# /${paths.contracts}/      @your-organisation/ml-platform @your-organisation/data-science`,
    '',
  ].join('\n');
  return { path: '.github/CODEOWNERS', what: 'hints, all of them comments', content: { text } };
}
