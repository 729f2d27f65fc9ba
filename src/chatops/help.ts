import { code, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import { type Command, type CommandName, commandNames } from './command.ts';
import type { ChatopsContext } from './context.ts';
import { decide, type Permit, type Person } from './permission.ts';
import { prose } from './reply.ts';
import { rightOf, rulesFor, type Subject } from './rules.ts';
import { commandLine, usage } from './spelling.ts';
import type { Values } from './values.ts';
import { options, optionsOf, type Place, vocabulary } from './vocabulary.ts';

export interface HelpRequest {
  context: Pick<ChatopsContext, 'policy' | 'models' | 'base'>;
  person: Person;
  place: Place;
  subject: Subject;
  /** Author of the pull request that the comment stands on. */
  pullAuthor: string | null;
}

/** What `/help` answers: the commands that this person may give here, or one command in full. */
export function help(request: HelpRequest, about: CommandName | null): Promise<Markdown> {
  return about === null ? overview(request) : explanation(request, about);
}

async function overview(request: HelpRequest): Promise<Markdown> {
  const rows: Markdown[][] = [];
  const examples: string[] = [];
  for (const name of commandNames) {
    if (!vocabulary[name].places.includes(request.place)) continue;
    const { allowed, environments } = await rights(request, name);
    if (!allowed) continue;
    rows.push([
      code(`/${name}`),
      text(vocabulary[name].does, 300),
      environments.map((one) => code(one)).join(', '),
    ]);
    examples.push(exampleOf(request, name, environments));
  }
  if (rows.length === 0) return paragraphs('There is no command that you may give here.', footer(request));
  return paragraphs(
    'You may give these commands here:',
    table({ columns: ['command', 'what it does', 'environments'].map((title) => ({ title })), rows }),
    'For example:',
    fenced(examples),
    `More about one: ${code('/help promote')}`,
    footer(request),
  );
}

async function explanation(request: HelpRequest, name: CommandName): Promise<Markdown> {
  const { does, forms, places } = vocabulary[name];
  const { allowed, environments, refusal } = await rights(request, name);
  const known = optionsOf(name);
  return paragraphs(
    text(does, 300),
    fenced(forms.map((form) => usage(name, form))),
    known.length === 0
      ? null
      : table({
          columns: [{ title: 'option' }, { title: 'meaning' }],
          rows: known.map((option) => [code(`--${option}`), text(options[option].means, 300)]),
        }),
    places.includes(request.place) ? null : 'It is a command for pull requests.',
    allowed ? 'For example:' : null,
    allowed ? fenced([exampleOf(request, name, environments)]) : null,
    allowed && environments.length > 0
      ? `You may give it for: ${environments.map((one) => code(one)).join(', ')}.`
      : null,
    refusal === null ? null : prose(`${refusal.message} ${refusal.fix}`, 500),
    footer(request),
  );
}

interface Rights {
  allowed: boolean;
  /** Where the person may give it, for a command that is about environments. */
  environments: string[];
  /** What stands against it where it is allowed nowhere, or not everywhere. */
  refusal: Extract<Permit, { allowed: false }> | null;
}

/** Asks the same rules as the command itself: help never promises more. */
async function rights(request: HelpRequest, name: CommandName): Promise<Rights> {
  const { context, person, pullAuthor } = request;
  // a cancel is allowed to the one who started it
  const owner = name === 'cancel' ? person.login : null;
  const ask = (command: Command) =>
    decide(rulesFor(context, { command, subject: request.subject }), person, { command, pullAuthor, owner });
  if (!isAboutEnvironments(name)) {
    const permit = await ask(vocabulary[name].build({ sha: '0'.repeat(40) }));
    return { allowed: permit.allowed, environments: [], refusal: permit.allowed ? null : permit };
  }
  const environments: string[] = [];
  let refusal: Rights['refusal'] = null;
  for (const environment of environmentsOf(context)) {
    const permit = await ask(vocabulary[name].build({ environment, reason: 'why' }));
    if (permit.allowed) environments.push(environment);
    else refusal = permit;
  }
  return { allowed: environments.length > 0, environments, refusal };
}

function isAboutEnvironments(name: CommandName): boolean {
  return ['promote', 'approve', 'rollback', 'lock'].includes(rightOf[name]);
}

function environmentsOf({ models }: HelpRequest['context']): string[] {
  return [
    ...new Set([...models.values()].flatMap(({ config }) => config.environments.map((one) => one.name))),
  ];
}

/** A line that can be given as it stands, with names of this repository. */
function exampleOf({ context }: HelpRequest, name: CommandName, environments: readonly string[]): string {
  const models = [...context.models.keys()];
  const reasonNeeded = vocabulary[name].forms.every((form) =>
    form.options.some((option) => option.name === 'reason' && option.needed),
  );
  const values: Values = {
    ...(models.length > 1 ? { model: models[0] } : {}),
    ...(environments[0] === undefined ? {} : { environment: environments[0] }),
    ...(reasonNeeded ? { reason: 'why' } : {}),
    ...{ action: 'run', sha: '0123456789abcdef0123456789abcdef01234567' },
  };
  return commandLine(vocabulary[name].build(values));
}

/** Lines of ours: verified names and words of the table, which hold no back-tick. */
function fenced(lines: readonly string[]): Markdown {
  return ['```text', ...lines, '```'].join('\n');
}

function footer({ person, context }: HelpRequest): Markdown {
  return `Your role is ${code(person.permission.roleName, 60)}; the policy is that of ${code(context.base.sha.slice(0, 12))}.`;
}
