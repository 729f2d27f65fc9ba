import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { Name } from '../../names.ts';
import type { Trust } from '../../provenance/policy.ts';
import { requireEnvironment } from '../../registry/guards.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { attest, sign } from '../sign.ts';
import { verifySignature } from '../verify-signature.ts';
import { versionOf } from './approval.ts';
import { environmentsOf, rulesOf } from './environment.ts';
import { localFile } from './files.ts';

const model = z.string().describe('MODEL@VERSION');
const reason = z.string().max(1000).optional().describe('Why, for the log');

const signCommand = defineCommand({
  name: 'sign',
  description: 'Signs the package of a version (OpenSSF Model Signing) and keeps the signature in the log.',
  positional: ['model'],
  options: z.object({
    model,
    key: z.string().describe('PEM file of an Ed25519 or ECDSA private key'),
    output: z.string().optional().describe('Write the bundle to this file too'),
    reason,
  }),
  examples: ['modelgate sign flights-late@3 --key release.pem'],
  async run(options, project) {
    return runStage(
      sign,
      {
        ...versionOf(options.model),
        key: options.key,
        output: options.output === undefined ? null : path.resolve(options.output),
        reason: options.reason ?? null,
      },
      project.context,
    );
  },
});

const attestCommand = defineCommand({
  name: 'attest',
  description: 'Keeps a signature or GitHub attestation that was made elsewhere with a version.',
  positional: ['model'],
  options: z.object({ model, bundle: z.string().describe('A Sigstore bundle (JSON)'), reason }),
  examples: ['modelgate attest flights-late@3 --bundle attestation.json'],
  async run(options, project) {
    const bundle = await localFile(options.bundle);
    return runStage(
      attest,
      { ...versionOf(options.model), bundle, reason: options.reason ?? null },
      project.context,
    );
  },
});

const verifyCommand = defineCommand({
  name: 'verify-signature',
  description: 'Verifies files, signature and provenance of a version as a promotion would; moves nothing.',
  positional: ['model'],
  options: z.object({
    model,
    in: Name.optional().describe('What this environment asks for'),
    key: z.string().optional().describe('Or: a signature by this public key (PEM)'),
  }),
  examples: [
    'modelgate verify-signature flights-late@3 --in production',
    'modelgate verify-signature flights-late@3 --key release.pub',
  ],
  async run(options, project) {
    return runStage(
      verifySignature,
      { ...versionOf(options.model), trust: await trustOf(options, project) },
      project.context,
    );
  },
});

async function trustOf(
  { in: environment, key }: { in?: string | undefined; key?: string | undefined },
  project: Project,
): Promise<Trust> {
  if ((environment === undefined) === (key === undefined)) {
    throw new UserError({
      code: 'usage',
      message: 'Whom to believe is not said.',
      fix: 'Give --in ENVIRONMENT, or --key FILE, and not both.',
    });
  }
  if (key !== undefined) return { signature: { keys: [path.resolve(key)], identities: [] } };
  requireEnvironment(environment!, await environmentsOf(project));
  const { trust } = await rulesOf(project, environment!);
  if (trust !== undefined) return trust;
  throw new UserError({
    code: 'usage',
    message: `${environment} asks for neither signature nor provenance.`,
    where: { key: 'environments' },
    fix: 'Name keys or a workflow in signature or provenance of the environment, or give --key FILE.',
  });
}

export const signingCommands = [signCommand, attestCommand, verifyCommand];
