import type { FailureClass } from '../../codes.ts';
import { playbookOf } from '../../monitoring/playbooks.ts';
import { type Markdown, paragraphs } from '../../report/markdown.ts';
import type { ChatopsPolicy } from '../policy.ts';
import type { Alarm } from './alarm.ts';

/** What to do about a failure; only a class that pages mentions people, so that nothing else wakes them. */
export async function playbookText(
  failure: FailureClass,
  policy: Pick<ChatopsPolicy, 'page'>,
): Promise<Markdown> {
  const { title, page, steps } = await playbookOf(failure);
  const people = page && policy.page.length > 0 ? policy.page.map((login) => `@${login}`).join(' ') : null;
  return paragraphs(
    `### Playbook: ${title}`,
    steps.map((step) => `- [ ] ${step}`).join('\n'),
    people === null ? null : `Please look: ${people}`,
  );
}

/** A degraded service has no runbook of its own: it is a failure of the infrastructure, with that class's playbook. */
export async function withPlaybook(alarm: Alarm): Promise<Alarm> {
  if (!alarm.fingerprint.endsWith('/service')) return alarm;
  return { ...alarm, body: paragraphs(alarm.body, await playbookText('infrastructure', { page: [] })) };
}
