import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folders under src whose code is domain: it may import stats, config, ports and the small files of src itself. */
const domain = [
  'data',
  'training',
  'evaluation',
  'gate',
  'rollout',
  'serving',
  'monitoring',
  'lineage',
  'chatops',
  'report',
  'registry',
  'site',
  'provenance',
  'store',
  'config',
  'stats',
  'github',
  'adoption',
  'repository',
  'polling',
  'scanning',
];

/** What a domain folder may import from another one: ports, schemas and pure helpers of the layer below. */
const allowed: Record<string, readonly string[]> = {
  stats: [],
  store: [],
  registry: ['store', 'evaluation/predictor.ts'],
  provenance: ['store', 'registry'],
  data: ['store', 'stats', 'config'],
  config: [
    'gate/policy.ts',
    'monitoring/policy.ts',
    'evaluation/admission-policy.ts',
    'provenance/policy.ts',
    'chatops/policy.ts',
  ],
  polling: ['store', 'registry', 'data/sources.ts', 'github/port.ts', 'chatops/operations.ts'],
  report: ['stats'],
  scanning: ['training/process.ts'],
  github: [],
  repository: ['config'],
  adoption: [
    'data',
    'config',
    'registry',
    'gate/policy.ts',
    'training/requirements.ts',
    'github/repository-setup.ts',
  ],
  gate: [
    'stats',
    'data/engine.ts',
    'report',
    'store',
    'config',
    'training/noise.ts',
    'training/requirements.ts',
  ],
  training: ['stats', 'store', 'config', 'data/engine.ts', 'evaluation/predictor.ts', 'evaluation'],
  evaluation: ['stats', 'store', 'config', 'data'],
  rollout: ['registry', 'store', 'config', 'provenance'],
  serving: ['store', 'data/engine.ts', 'evaluation/predictor.ts', 'registry', 'config'],
  monitoring: [
    'stats',
    'store',
    'data/engine.ts',
    'data',
    'report',
    'config',
    'serving/prediction-log.ts',
    'serving/log-schema.ts',
    'registry',
    'gate/metrics.ts',
    'gate/policy-sql.ts',
    'gate/equal-rows.ts',
  ],
  site: ['registry', 'store', 'report', 'gate/check.ts', 'gate/numbers.ts', 'monitoring/check-facts.ts'],
  lineage: ['store', 'registry', 'data/engine.ts', 'serving/prediction-log.ts', 'serving'],
  chatops: [
    'registry',
    'config',
    'report',
    'gate',
    'monitoring',
    'store',
    'rollout/package.ts',
    'github/port.ts',
    'repository/touched.ts',
  ],
};

/** Libraries that only the adapter named after them may load. */
const adapters: Record<string, readonly string[]> = {
  '@duckdb/node-api': ['src/data/duckdb.ts', 'src/data/duckdb', 'src/native.ts'],
  'onnxruntime-node': ['src/evaluation/onnxruntime', 'src/native.ts'],
  '@aws-sdk/': ['src/store/s3'],
  '@sigstore/': ['src/provenance/sigstore.ts'],
  octokit: ['src/github/octokit.ts'],
  probot: ['bot/'],
};

interface Import {
  file: string;
  specifier: string;
  dynamic: boolean;
  typeOnly: boolean;
}

async function importsUnder(pattern: string): Promise<Import[]> {
  const found: Import[] = [];
  for await (const file of glob(pattern)) {
    const text = await readFile(file, 'utf8');
    for (const match of text.matchAll(
      /^(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
    )) {
      found.push({ file, specifier: match[2]!, dynamic: false, typeOnly: match[1] !== undefined });
    }
    for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
      found.push({ file, specifier: match[1]!, dynamic: true, typeOnly: false });
    }
  }
  return found;
}

const imports = await importsUnder('src/**/*.ts');
const target = (one: Import) =>
  path.posix.normalize(path.posix.join(path.posix.dirname(one.file), one.specifier));

describe('import rules', () => {
  it('finds the imports', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('stats imports nothing of ours', () => {
    const wrong = imports.filter(
      (one) =>
        one.file.startsWith('src/stats/') &&
        one.specifier.startsWith('.') &&
        !target(one).startsWith('src/stats/'),
    );
    expect(wrong).toEqual([]);
  });

  it.each(domain)('src/%s imports only what lies below it', (folder) => {
    const wrong = imports
      .filter((one) => one.file.startsWith(`src/${folder}/`) && one.specifier.startsWith('.'))
      .map((one) => ({ from: one.file, to: target(one) }))
      .filter(
        ({ to }) => to.startsWith('src/') && to.split('/').length > 2 && !to.startsWith(`src/${folder}/`),
      )
      .filter(
        ({ to }) =>
          !(allowed[folder] ?? []).some(
            (prefix) => to === `src/${prefix}` || to.startsWith(`src/${prefix}/`),
          ),
      );
    expect(wrong).toEqual([]);
  });

  it('src imports neither Actions nor Probot', () => {
    expect(imports.filter((one) => /^(@actions\/|probot)/.test(one.specifier))).toEqual([]);
  });

  it('libraries are loaded by their adapter alone, and lazily', () => {
    const wrong = imports.filter((one) => {
      const owner = Object.entries(adapters).find(([library]) => one.specifier.startsWith(library));
      if (owner === undefined || one.typeOnly) return false;
      return !one.dynamic || !owner[1].some((prefix) => one.file.startsWith(prefix));
    });
    expect(wrong).toEqual([]);
  });

  it('stages are composed by stages, cli, actions and bot alone', () => {
    const wrong = imports.filter(
      (one) =>
        domain.some((folder) => one.file.startsWith(`src/${folder}/`)) && one.specifier.includes('/stages/'),
    );
    expect(wrong).toEqual([]);
  });
});
