import { describe, expect, it } from 'vitest';
import { redactor, secretsOf, structuredLog } from '../../bot/log.ts';
import type { Settings } from '../../bot/settings.ts';

const key = `-----BEGIN RSA PRIVATE KEY-----\nMIICanaryCanaryCanary0123456789\nAnotherLineOfTheKey42\n-----END RSA PRIVATE KEY-----\n`;
const settings = {
  webhookSecret: 'canary-webhook-secret+/=&',
  privateKey: key,
  inbox: 'postgres://bot:canary%2Dof%2Dthe%2Dinbox@db/bot',
} as Settings;
const environment = {
  AWS_SECRET_ACCESS_KEY: 'canary/aws/secret',
  MODELGATE_SERVE_TOKEN: 'canary-serve-token',
  HOME: '/home/ann',
};
const canaries = [
  ...['canary-webhook-secret+/=&', 'MIICanaryCanaryCanary0123456789', 'AnotherLineOfTheKey42'],
  ...['canary/aws/secret', 'canary-serve-token', 'canary-of-the-inbox', 'canary%2Dof%2Dthe%2Dinbox'],
  ...[
    `ghs_${'a1'.repeat(18)}`,
    `github_pat_${'b2'.repeat(20)}`,
    'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjF9.c2lnbmF0dXJl',
  ],
  `sha256=${'0f'.repeat(32)}`,
];

function logged(write: (log: ReturnType<typeof structuredLog>) => void): string {
  const lines: string[] = [];
  const redact = redactor(secretsOf(settings, environment));
  write(structuredLog({ redact, write: (line) => lines.push(line), debug: true }));
  return lines.join('');
}

describe('the log', () => {
  it('[GOV-2] holds no secret, wherever it stands', () => {
    const text = logged((log) => {
      for (const canary of canaries) {
        log.info(`before ${canary} after`);
        log.warn(JSON.stringify({ authorization: `bearer ${canary}` }));
        log.write('error', new Error(canary).stack ?? '', {
          deep: { within: [canary, encodeURIComponent(canary)] },
        });
        log.debug(`{"event":"command","name":${JSON.stringify(canary)}}`);
      }
      log.info(key);
      log.info('https://user:canary-password@host/path?X-Amz-Signature=canarysignature0123');
    });
    for (const canary of [
      ...canaries,
      encodeURIComponent(canaries[0] ?? ''),
      'canary-password',
      'canarysignature',
    ])
      expect(text).not.toContain(canary);
    expect(text).toContain('before [redacted] after');
  });

  it('is one JSON object a line, with the fields of an event as its own', () => {
    const lines = logged((log) => {
      log.info('{"event":"command","decision":"refused","reason":"locked"}');
      log.info('two\nlines');
    })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { level: 'info', event: 'command', decision: 'refused', reason: 'locked' },
      { level: 'info', message: 'two\nlines' },
    ]);
  });
});
