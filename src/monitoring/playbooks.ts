import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { FailureClass } from '../codes.ts';

const classes = ['data', 'infrastructure', 'model', 'unknown'] as const satisfies readonly FailureClass[];
const line = z.string().min(1).max(300);

/** What people do about one class of failure; runbooks are what is found out before anybody is told. */
export const Playbook = z.strictObject({
  class: z.enum(classes),
  title: line,
  /** Whether it calls a person at once. */
  page: z.boolean(),
  /** Markdown of ours. */
  steps: z.array(line).min(1).max(20),
});
export type Playbook = z.infer<typeof Playbook>;

const Playbooks = z.strictObject({
  schema: z.literal('modelgate.playbooks/1'),
  playbooks: z.array(Playbook),
});

/** The playbook of a class: each has exactly one. */
export async function playbookOf(failure: FailureClass): Promise<Playbook> {
  const text = await readFile(new URL('./playbooks/failures.yaml', import.meta.url), 'utf8');
  const { playbooks } = Playbooks.parse(parse(text, { maxAliasCount: 0 }));
  const [found, ...others] = playbooks.filter((one) => one.class === failure);
  if (found === undefined || others.length > 0) throw new Error(`${failure} has not exactly one playbook`);
  return found;
}
