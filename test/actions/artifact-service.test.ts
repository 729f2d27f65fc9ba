import { expect, it } from 'vitest';
import { hasArtifactService } from '../../actions/artifacts.ts';

const job = { ACTIONS_RUNTIME_TOKEN: 'token', ACTIONS_RESULTS_URL: 'http://results/' };

it.each([
  [job, true],
  [{ ...job, GITHUB_SERVER_URL: 'https://github.com' }, true],
  [{ ...job, GITHUB_SERVER_URL: 'https://acme.ghe.com' }, true],
  [{ ...job, GITHUB_SERVER_URL: 'https://git.example.com' }, false],
  [{ ...job, ACTIONS_RUNTIME_TOKEN: '' }, false],
  [{}, false],
])('hands artifacts on where the service takes them: %j', (environment, expected) => {
  expect(hasArtifactService(environment)).toBe(expected);
});
