import { describe, expect, it } from 'vitest';
import { requireNoRights } from '../../src/stages/job-rights.ts';

describe('[GOV-2] the code of a candidate is not run by the gate', () => {
  it('in a job that has a credential, or the means to get one', () => {
    for (const name of [
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'AZURE_FEDERATED_TOKEN_FILE',
    ]) {
      const env = { CI: 'true', [name]: 'hunter2' };
      const refused = { code: 'retraining_refused', message: expect.stringContaining(name) };
      expect(() => requireNoRights(env)).toThrow(expect.objectContaining(refused));
      expect(() => requireNoRights(env)).not.toThrow(/hunter2/);
    }
  });

  it('and is where nothing is at stake: no rights, or a person’s own machine', () => {
    for (const env of [
      { CI: 'true' },
      { CI: 'true', AWS_SECRET_ACCESS_KEY: '' },
      { AWS_SECRET_ACCESS_KEY: 'x' },
    ])
      expect(() => requireNoRights(env)).not.toThrow();
  });
});
