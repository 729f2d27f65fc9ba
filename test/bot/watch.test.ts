import { expect, it } from 'vitest';
import type { Inbox } from '../../bot/inbox.ts';
import { lookAfterSchedules } from '../../bot/watch.ts';

it('[OBS-1] looks after every installation, whichever is broken, and says that one is', async () => {
  const put: string[] = [];
  const client = (id: number) => ({
    request: async () => {
      if (id === 1) throw new Error('suspended');
      return { data: { repositories: [{ name: 'flights', owner: { login: `acme${id}` } }] } };
    },
  });
  const looked = lookAfterSchedules({
    inbox: { put: async ({ key }: { key: string }) => put.push(key) } as unknown as Inbox,
    worker: { notice: () => {} },
    clients: {
      app: async () => ({ request: async () => ({ data: [{ id: 1 }, { id: 2 }] }) }) as never,
      installation: async (id) => client(id) as never,
    },
    now: () => new Date(0),
  });
  await expect(looked).rejects.toThrow('1 installation');
  expect(put).toEqual(['watch:acme2/flights:0']);
});
