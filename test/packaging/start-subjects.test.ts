import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { actionSubjects } from '../../bench/start/subjects.ts';

const actions = path.join(import.meta.dirname, '../../actions');

it('the start of every action is measured', () => {
  const folders = readdirSync(actions).filter((name) => existsSync(path.join(actions, name, 'index.ts')));
  expect(Object.keys(actionSubjects).sort()).toEqual(folders.sort());
});
