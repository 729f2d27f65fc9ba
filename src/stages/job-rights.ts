import { UserError } from '../errors.ts';

/** What gives whoever runs in a job the rights of a cloud role, or the means to take one. */
const rights = [
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'AZURE_CLIENT_SECRET',
  'AZURE_FEDERATED_TOKEN_FILE',
];

/**
 * Refuses to run a candidate's training code in a job of a CI that holds rights: the package of the model may have
 * come from a pull request, and its script would stand beside what opens the store. On a person's own machine, where
 * `CI` is not set, it is theirs to run. Throws `retraining_refused`.
 */
export function requireNoRights(env: NodeJS.ProcessEnv): void {
  const found = rights.filter((name) => env[name]);
  if (!env.CI || found.length === 0) return;
  throw new UserError({
    code: 'retraining_refused',
    message: `The policy has the noise of retraining measured by the gate, which would run the candidate's code in a job that holds rights (${found[0]}).`,
    where: { key: 'gate.training_noise' },
    fix: 'Measure it where no rights are, `modelgate noise`, and write its standard deviations into the policy: training_noise: {auc: 0.008}.',
  });
}
