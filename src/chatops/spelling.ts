import type { Command, CommandName } from './command.ts';
import { kinds, type Values } from './values.ts';
import { type Form, keywords, type OptionName, options, vocabulary } from './vocabulary.ts';
import { print } from './words.ts';

/** `/promote [model[@version]] [to environment] [--dry-run] …` */
export function usage(name: CommandName, form: Form): string {
  const optional = (text: string, needed: boolean) => (needed ? text : `[${text}]`);
  const words = form.words.map((part) => {
    if ('fixed' in part) return part.fixed;
    const value = kinds[part.kind].placeholder;
    return optional(part.keyword === null ? value : `${part.keyword} ${value}`, !part.optional);
  });
  return [
    `/${name}`,
    ...words,
    ...form.options.map((one) => optional(optionUsage(one.name), one.needed)),
  ].join(' ');
}

export function optionUsage(name: OptionName): string {
  const option = options[name];
  return 'flag' in option ? `--${name}` : `--${name}=${kinds[option.kind].placeholder}`;
}

/** The line that gives this command, in one spelling. */
export function commandLine(command: Command): string {
  const values = valuesOf(command);
  const lines = vocabulary[command.name].forms.map((form) => formLine(command.name, form, values));
  // of several forms that say it, the one that says most; a form that must leave something out is none
  const best = lines.filter((line) => line !== null).sort((a, b) => b.said - a.said)[0];
  if (best === undefined) throw new TypeError(`a command that cannot be written: ${command.name}`);
  return best.line;
}

function formLine(name: CommandName, form: Form, values: Values): { line: string; said: number } | null {
  const pieces: string[] = [`/${name}`];
  let said = 0;
  for (const part of form.words) {
    if ('fixed' in part) {
      if (values.action !== part.fixed) return null;
      pieces.push(part.fixed);
      continue;
    }
    const text = kinds[part.kind].print(values);
    if (text === null && !part.optional) return null;
    if (text === null) continue;
    const quoted = keywords.some((one) => one === text);
    pieces.push(...(part.keyword === null ? [] : [part.keyword]), print({ kind: 'word', text, quoted }));
    said += 1;
  }
  for (const { name: option, needed } of form.options) {
    const spec = options[option];
    const value = 'flag' in spec ? null : kinds[spec.kind].print(values);
    const there = 'flag' in spec ? values[spec.flag] === true : value !== null;
    if (!there && needed) return null;
    if (!there) continue;
    pieces.push(print({ kind: 'option', name: option, value }));
    said += 1;
  }
  return { line: pieces.join(' '), said };
}

/** The fields of a command that stand for something that was written. */
function valuesOf(command: Command): Values {
  const { name, ...fields } = command;
  const written = Object.entries(fields).filter(
    ([key, value]) => value !== null && value !== false && !(key === 'steps' && value === 1),
  );
  return Object.fromEntries(written);
}
