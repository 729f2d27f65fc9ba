/**
 * Writes the made parts of docs/chatops.md, commands and grammar, from the table that parses them. With --check it
 * only says whether the page is up to date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { commandNames } from '../src/chatops/command.ts';
import { usage } from '../src/chatops/spelling.ts';
import { type KindName, kinds, terminals } from '../src/chatops/values.ts';
import { type Form, type OptionName, options, vocabulary } from '../src/chatops/vocabulary.ts';

const file = 'docs/chatops.md';
const nextLine = '\n| ';

/** The grammar in W3C's EBNF. The first rule is the line. */
export function grammar(): string {
  const rules: [string, string][] = [
    ['line', commandNames.join(' | ')],
    ...commandNames.map((name): [string, string] => [
      name,
      vocabulary[name].forms.map((form) => `"/${name}"${formSyntax(form)}`).join(nextLine),
    ]),
    ...(Object.keys(kinds) as KindName[]).map((kind): [string, string] => [ruleOf(kind), kinds[kind].syntax]),
    ...Object.entries(terminals),
  ];
  // one line for each way to write a command
  const width = Math.max(...rules.map(([name]) => name.length));
  const indent = `\n${' '.repeat(width)}   | `;
  return rules
    .map(([name, right]) => `${name.padEnd(width)} ::= ${right.replaceAll(nextLine, indent)}`)
    .join('\n');
}

function formSyntax({ words, options: taken }: Form): string {
  const parts = words.map((part) => {
    if ('fixed' in part) return ` S "${part.fixed}"`;
    const announced = part.keyword === null ? '' : `"${part.keyword}" S `;
    return group(`S ${announced}${ruleOf(part.kind)}`, !part.optional);
  });
  return [...parts, ...taken.map(({ name, needed }) => group(optionSyntax(name), needed))].join('');
}

function optionSyntax(name: OptionName): string {
  const option = options[name];
  return 'flag' in option ? `S "--${name}"` : `S "--${name}" ("=" | S) ${ruleOf(option.kind)}`;
}

const group = (syntax: string, needed: boolean): string => (needed ? ` ${syntax}` : ` (${syntax})?`);
const ruleOf = (kind: KindName): string => (kind === 'to' ? 'version' : kind);

function commandTable(): string {
  return [
    '| command | what it does |',
    '|---|---|',
    ...commandNames.map((name) => {
      const { forms, does } = vocabulary[name];
      return `| ${forms.map((form) => `\`${usage(name, form)}\``).join('<br>')} | ${does} |`;
    }),
    '',
    '| option | meaning |',
    '|---|---|',
    ...Object.entries(options).map(([name, { means }]) => `| \`--${name}\` | ${means} |`),
  ].join('\n');
}

/** The page with its made parts made anew. */
export function chatopsPage(page: string): string {
  return withPart(withPart(page, 'commands', commandTable()), 'grammar', `\`\`\`ebnf\n${grammar()}\n\`\`\``);
}

function withPart(page: string, name: string, text: string): string {
  const begin = `<!-- ${name}: begin -->`;
  const end = `<!-- ${name}: end -->`;
  const from = page.indexOf(begin);
  const until = page.indexOf(end);
  if (from < 0 || until < from) throw new Error(`${file} has lost its markers ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(until)}`;
}

if (import.meta.main) {
  const page = await readFile(file, 'utf8');
  const wanted = chatopsPage(page);
  if (!process.argv.includes('--check')) await writeFile(file, wanted);
  else if (page !== wanted) {
    console.error(`${file} is out of date: run npm run docs`);
    process.exitCode = 1;
  }
}
