import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventNames, jobOf } from '../../bot/events.ts';
import { manifest } from './world.ts';

const place = {
  installation: { id: 5 },
  repository: { name: 'Flights', owner: { login: 'Acme' } },
  sender: { login: 'ann' },
};
const at = '2026-03-01T12:00:00Z';
const commented = (change: object = {}, more: object = {}) => ({
  ...place,
  action: 'created',
  issue: { number: 7, pull_request: {} },
  comment: { id: 11, body: '/status', user: { login: 'ann', type: 'User' }, created_at: at, ...change },
  ...more,
});
const read = (event: string, payload: unknown) => jobOf({ guid: 'g', event, payload });

describe('what becomes of a delivery', () => {
  it('is known for every event that the manifest asks for, and for no other', () => {
    expect([...eventNames].sort()).toEqual([...manifest.default_events].sort());
  });

  it('is a job for a new comment with a command by a person', () => {
    expect(read('issue_comment', commented())).toMatchObject({
      ...{ guid: 'g', key: 'comment:acme/flights:11', lane: 'acme/flights#7', priority: 1 },
      event: { kind: 'comment', comment: { id: 11, number: 7, isPullRequest: true, viaApp: false } },
    });
  });

  it('is nothing for other comments', () => {
    for (const payload of [
      commented({ body: 'Thanks!' }),
      commented({ user: { login: 'modelgate[bot]', type: 'Bot' } }),
      commented({ user: null }),
      commented({}, { action: 'edited' }),
      commented({}, { sender: { login: 'eve' } }),
    ]) {
      expect(read('issue_comment', payload)).toBeNull();
    }
  });

  it('puts what moves models of a repository into one lane, a rollback first', () => {
    const promote = read('issue_comment', commented({ id: 1, body: '/promote to staging' }));
    const rollback = read(
      'issue_comment',
      commented({ id: 2, body: '/rollback in staging' }, { issue: { number: 9 } }),
    );
    expect(promote?.lane).toBe('acme/flights moves');
    expect(rollback).toMatchObject({ lane: 'acme/flights moves', priority: 0 });
  });

  it('takes of a protection rule the number of its run and the environment', () => {
    const asked = {
      ...{ ...place, action: 'requested', environment: 'production', deployment: { id: 3 } },
      deployment_callback_url: 'https://x/repos/a/b/actions/runs/42/deployment_protection_rule',
    };
    expect(read('deployment_protection_rule', asked)?.event).toMatchObject({
      ...{ kind: 'protection', run: 42, environment: 'production' },
    });
    const elsewhere = { ...asked, deployment_callback_url: 'https://evil/runs/42' };
    expect(() => read('deployment_protection_rule', elsewhere)).toThrow();
  });

  it('refuses names that are no names, and events of another form', () => {
    for (const name of ['..', 'a/b', '', 'a\n']) {
      const repository = { name, owner: { login: 'acme' } };
      expect(() => read('issue_comment', commented({}, { repository }))).toThrow();
    }
    expect(() => read('workflow_run', place)).toThrow();
    expect(read('star', { anything: 1 })).toBeNull();
  });

  it('never holds more of a comment than GitHub takes', () => {
    const job = read('issue_comment', commented({ body: `/status\n${'x'.repeat(300_000)}` }));
    expect(JSON.stringify(job).length).toBeLessThan(70_000);
  });

  it('takes any JSON without a fault of another kind than a misfit', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('issue_comment', 'workflow_run', 'pull_request', 'push'),
        fc.json(),
        (event, text) => {
          try {
            read(event, JSON.parse(text));
          } catch (error) {
            expect(error).toHaveProperty('issues');
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });
});
