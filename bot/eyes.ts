import type { GitHub } from '../src/github/port.ts';
import type { BotEvent } from './events.ts';
import type { AppClients } from './github.ts';
import type { Job } from './inbox.ts';

type Comment = Extract<BotEvent, { kind: 'comment' }>;

/** So many first reactions are on their way at once; further commands get theirs from their handler. */
const most = 16;

/** Shows a person that the command was heard, before its turn has come. */
export class Eyes {
  private readonly clients: Pick<AppClients, 'of'>;
  private readonly seconds: (value: number) => void;
  /** Comments whose reaction is on its way or was just made. */
  private readonly shown = new Map<number, Promise<boolean>>();
  private pending = 0;

  constructor({ clients, seconds }: { clients: Pick<AppClients, 'of'>; seconds: (value: number) => void }) {
    this.clients = clients;
    this.seconds = seconds;
  }

  /** Decoration: what goes wrong is left to the handler, which reacts too. */
  show(event: Comment, receivedAt: Date): void {
    if (this.pending >= most) return;
    this.pending += 1;
    const made = this.react(event, receivedAt).finally(() => {
      this.pending -= 1;
    });
    this.shown.set(event.comment.id, made);
  }

  private async react(event: Comment, receivedAt: Date): Promise<boolean> {
    try {
      const github = await this.clients.of(event);
      await github.react(event.comment.id, 'eyes');
      this.seconds((Date.now() - receivedAt.getTime()) / 1000);
      return true;
    } catch {
      return false;
    }
  }

  /** The same GitHub, which does not send the first reaction of this job's comment a second time. */
  remembered(github: GitHub, { event, receivedAt }: Pick<Job, 'event' | 'receivedAt'>): GitHub {
    if (event.kind !== 'comment') return github;
    const { id } = event.comment;
    const early = this.shown.get(id);
    this.shown.delete(id);
    return {
      ...github,
      react: async (comment, reaction) => {
        if (comment === id && reaction === 'eyes' && (await early) === true) return;
        await github.react(comment, reaction);
        if (comment === id && reaction === 'eyes') this.seconds((Date.now() - receivedAt.getTime()) / 1000);
      },
    };
  }
}
