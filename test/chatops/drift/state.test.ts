import { describe, expect, it } from 'vitest';
import { newCourse } from '../../../src/chatops/drift/course.ts';
import { type AlertState, readState, withState } from '../../../src/chatops/drift/state.ts';

const state: AlertState = { acknowledged: null, snoozed: null, course: newCourse('investigate') };

describe('what an issue keeps of its alarm', () => {
  it('is written over, however often', () => {
    const once = withState('It moved.', state);
    const again = withState(withState(once, { ...state, course: null }), state);
    expect(again).toBe(once);
    expect(readState({ ours: true, body: again })).toEqual(state);
  });

  it.each([
    ['newlines', '\n'],
    ['beginnings', '<!-- modelgate:alert-state {'],
    ['beginnings with braces', '<!-- modelgate:alert-state {}}}}}}}}}}}'],
    ['braces', '}'],
    ['spaces', ' '],
  ])('is sought once through an issue full of %s', (_, unit) => {
    const body = unit.repeat(Math.ceil(65_536 / unit.length));
    const before = process.cpuUsage();
    expect(readState({ ours: true, body: `${body}x` }).course).toBeNull();
    expect(readState({ ours: true, body: withState(`${body}x`, state) })).toEqual(state);
    const { user, system } = process.cpuUsage(before);
    // a limit of growth, not of speed: it took 19 seconds once
    expect((user + system) / 1e6).toBeLessThan(0.5);
  });
});
