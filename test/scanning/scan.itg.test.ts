import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ScansPolicy } from '../../src/gate/policy-scans.ts';
import { requireScans } from '../../src/gate/scans/coverage.ts';
import { judgeScan } from '../../src/gate/scans/judge.ts';
import { readScan } from '../../src/gate/scans/read.ts';
import { parseLock } from '../../src/training/requirements.ts';
import { missing, tools } from '../workflows/tools.ts';
import { debian, imageArchive } from './image.ts';
import { pin, putDatabase, putProgram, scanLock, temporaryFolder, weakness } from './world.ts';

const reference = `ghcr.io/acme/serving@sha256:${'4'.repeat(64)}`;
const policy = ScansPolicy.parse({ require: ['dependencies'] });

/** What the gate makes of a report, for a candidate with this lock. */
function judged(file: string, lock: string) {
  const scan = { ...readScan(readFileSync(file), { named: null, where: file }), sha256: 'a'.repeat(64) };
  const result = judgeScan(scan, { policy, today: null });
  const stops = result.findings.filter(({ consequence }) => consequence === 'stops');
  return {
    ...{ subject: scan.subject, target: scan.target, tool: scan.tool.name },
    stops: stops.map(({ id, package: about }) => `${id} ${about}`),
    covered: () => requireScans([scan], { policy, lock: parseLock(lock, 'requirements.lock') }),
  };
}

/** `docker` as far as the scanner uses it: it has no image, and pulls and saves this one. */
async function putDocker(archive: Buffer): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'image.tar'), archive);
  await putProgram(
    'docker',
    `#!/bin/sh
printf '%s\\n' "$*" >> '${folder}/asked'
env > '${folder}/environment'
case "$1" in
  images) ;;
  pull) [ "$3" = '${reference}' ] ;;
  save) cp '${folder}/image.tar' "$3" ;;
  *) exit 1 ;;
esac
`,
  );
  return folder;
}

const skipped = missing('osvScanner');

describe.skipIf(skipped !== null)(
  `[GOV-8] OSV-Scanner by modelgate scan${skipped === null ? '' : ` (${skipped})`}`,
  () => {
    const known = [
      weakness('GHSA-aaaa-bbbb-cccc', 'PyPI', 'numpy', '1.26.9'),
      weakness('DSA-9999-1', 'Debian:12', 'openssl', '3.0.11-1'),
    ];
    async function prepare() {
      vi.stubEnv('MODELGATE_SCANNER', tools.osvScanner);
      vi.stubEnv('OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY', await putDatabase(known));
    }

    it('the lock of the candidate, and an image by its digest: the gate stops both', async () => {
      await prepare();
      const suppressed = '[[PackageOverrides]]\nignore = true\nreason = "none of your business"\n';
      const docker = await putDocker(
        imageArchive({
          ...debian('openssl', '3.0.9-1'),
          'osv-scanner.toml': suppressed,
          'var/lib/dpkg/osv-scanner.toml': suppressed,
        }),
      );
      vi.stubEnv('GITHUB_TOKEN', 'a-secret');
      vi.stubEnv('ACTIONS_RUNTIME_TOKEN', 'a-secret');
      const lock = pin('numpy==1.26.0', 'onnx==1.16.0');
      const { outcome, output } = await scanLock(lock, { image: reference });
      expect(outcome, outcome.summary).toMatchObject({ verdict: 'pass' });
      expect(outcome.summary).toMatch(
        /2 packages, 1 finding \(1 critical\)[\s\S]*ghcr\.io.*1 package, 1 finding/,
      );

      const dependencies = judged(path.join(output, 'dependencies.json'), lock);
      expect(dependencies).toMatchObject({
        ...{ subject: 'dependencies', tool: 'OSV-Scanner', stops: ['GHSA-aaaa-bbbb-cccc numpy'] },
        target: expect.stringMatching(/^requirements\.lock [0-9a-f]{12}$/),
      });
      expect(dependencies.covered()).toBe(true);
      const image = judged(path.join(output, 'image.json'), lock);
      expect(image).toMatchObject({ subject: 'image', target: reference, stops: ['DSA-9999-1 openssl'] });

      const asked = readFileSync(path.join(docker, 'asked'), 'utf8');
      expect(asked).toContain(`pull -q ${reference}\n`);
      // neither the scanner nor what it starts sees a token
      expect(readFileSync(path.join(docker, 'environment'), 'utf8')).not.toContain('a-secret');
      expect(readdirSync(output).sort()).toEqual(['dependencies.json', 'image.json']);
    });

    it('an image in which nothing is installed shows nothing, and leaves nothing', async () => {
      await prepare();
      await putDocker(imageArchive({ hello: 'world' }));
      const { outcome, output } = await scanLock(pin('numpy==1.26.0'), { image: reference });
      expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scan_incomplete' });
      expect(outcome.summary).toContain(reference);
      expect(existsSync(output)).toBe(false);
    });

    it('an image that hides its distribution shows nothing, since nothing is known against no distribution', async () => {
      await prepare();
      const { 'etc/os-release': _, ...hidden } = debian('openssl', '3.0.9-1');
      await putDocker(imageArchive(hidden));
      const { outcome, output } = await scanLock(pin('numpy==1.26.0'), { image: reference });
      expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scan_incomplete' });
      expect(existsSync(output)).toBe(false);
    });

    it('an image that cannot be had is told in the words of Docker', async () => {
      await prepare();
      await putProgram(
        'docker',
        '#!/bin/sh\n[ "$1" = images ] || { echo "manifest unknown" >&2; exit 1; }\n',
      );
      const { outcome } = await scanLock(pin('numpy==1.26.0'), { image: reference });
      expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scanner_failed' });
      expect(outcome.summary).toContain('manifest unknown');
    });
  },
);

describe('[GOV-8] modelgate scan', () => {
  const scanner = (script: string) =>
    putProgram(
      'scanner',
      `#!/bin/sh\nwhile [ "$1" != --output-file ]; do shift; done\nreport=$2\n${script}\n`,
    );

  it('a lock that pins nothing needs no scanner, and stands for no other candidate', async () => {
    vi.stubEnv('MODELGATE_SCANNER', '/nowhere');
    const empty = '# the standard library is enough\n';
    const { outcome, output } = await scanLock(empty);
    expect(outcome).toMatchObject({ verdict: 'pass' });
    expect(outcome.summary).toContain('pins no package');
    const report = judged(path.join(output, 'dependencies.json'), empty);
    expect(report).toMatchObject({ subject: 'dependencies', tool: 'ModelGate', stops: [] });
    expect(report.covered()).toBe(true);
    const other = judged(path.join(output, 'dependencies.json'), pin('numpy==1.26.0'));
    expect(other.covered).toThrow(/did not look at numpy/);
  });

  it.each([
    ['ends as it should not', 'echo "cannot reach api.osv.dev" >&2; exit 127', /127.*cannot reach api/],
    ['writes no report', 'exit 0', /cannot be read/],
    ['writes something else', 'echo "[]" > "$report"', /no JSON object/],
    ['writes half a report', 'echo "{" > "$report"', /cannot be read/],
  ])('a scanner that %s is an error', async (_, script, says) => {
    vi.stubEnv('MODELGATE_SCANNER', await scanner(script));
    const { outcome } = await scanLock(pin('numpy==1.26.0'));
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scanner_failed' });
    expect(outcome.summary).toMatch(says);
  });

  it('a scanner that looked at nothing is an error', async () => {
    const nothing = '{"results": [], "experimental_config": {}}';
    vi.stubEnv('MODELGATE_SCANNER', await scanner(`echo '${nothing}' > "$report"`));
    expect((await scanLock(pin('numpy==1.26.0'))).outcome.reason_code).toBe('scan_incomplete');
    vi.stubEnv('MODELGATE_SCANNER', await scanner('exit 128'));
    expect((await scanLock(pin('numpy==1.26.0'))).outcome.reason_code).toBe('scan_incomplete');
  });

  it('a scanner that left out a package of the lock, or was given another one, is an error', async () => {
    const seen = (name: string, version: string) => {
      const packages = [{ package: { name, version, ecosystem: 'PyPI' } }];
      return JSON.stringify({ results: [{ source: { path: 'x' }, packages }], experimental_config: {} });
    };
    for (const report of [seen('numpy', '1.26.0'), seen('numpy', '2.0'), seen('onnx', '1.16.0')]) {
      vi.stubEnv('MODELGATE_SCANNER', await scanner(`echo '${report}' > "$report"`));
      const { outcome, output } = await scanLock(pin('numpy==1.26.0', 'onnx==1.16.0'));
      expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scan_incomplete' });
      expect(existsSync(output)).toBe(false);
    }
  });

  it('a report that the gate could not read leaves the other one unwritten too', async () => {
    const packages = '{"package":{"name":"numpy","version":"1.26.0"}}';
    const results = `[{"source":{"path":"x"},"packages":[${packages}]}]`;
    const none = '{"results":[],"experimental_config":{},"image_metadata":{}}';
    const lock = pin('numpy==1.26.0');
    const script = `case "$*" in *sha256:*) echo '${none}' > "$report" ;; *) echo '{"results":${results},"experimental_config":{}}' > "$report" ;; esac`;
    vi.stubEnv('MODELGATE_SCANNER', await scanner(script));
    expect((await scanLock(lock)).outcome).toMatchObject({ verdict: 'pass' });
    const { outcome, output } = await scanLock(lock, { image: reference });
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'scan_incomplete' });
    expect(existsSync(output)).toBe(false);
  });

  it('no link in the folder for the reports leads what is written elsewhere', async () => {
    vi.stubEnv('MODELGATE_SCANNER', '/nowhere');
    const output = await temporaryFolder();
    const elsewhere = path.join(await temporaryFolder(), 'theirs');
    await writeFile(elsewhere, 'untouched');
    for (const name of ['dependencies.json', 'dependencies.json.part', 'image.json'])
      await symlink(elsewhere, path.join(output, name));
    expect((await scanLock('', { output })).outcome).toMatchObject({ verdict: 'pass' });
    expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  });

  it('two scans at once into one folder leave one whole report', async () => {
    vi.stubEnv('MODELGATE_SCANNER', '/nowhere');
    const output = await temporaryFolder();
    const all = await Promise.all(Array.from({ length: 5 }, () => scanLock('', { output })));
    expect(all.map(({ outcome }) => outcome.verdict)).toEqual(all.map(() => 'pass'));
    expect(readdirSync(output)).toEqual(['dependencies.json']);
  });

  it('no scanner, and a lock that is none, are told', async () => {
    vi.stubEnv('MODELGATE_SCANNER', '/nowhere/osv-scanner');
    expect((await scanLock(pin('numpy==1.26.0'))).outcome.reason_code).toBe('scanner_missing');
    expect((await scanLock('numpy\n')).outcome.reason_code).toBe('environment_unpinned');
  });

  it('an image that is not named by its digest is refused', async () => {
    vi.stubEnv('MODELGATE_SCANNER', await scanner('exit 0'));
    const digest = `sha256:${'4'.repeat(64)}`;
    for (const image of [
      ...['acme/serving:latest', 'acme/serving', `acme/serving@${digest.slice(0, -1)}`, `@${digest}`],
      ...[`--config=x@${digest}`, `a b@${digest}`, `${reference}\n--offline`],
    ]) {
      const { outcome } = await scanLock('', { image });
      expect([image, outcome.verdict, outcome.reason_code]).toEqual([image, 'error', 'usage']);
      expect(outcome.summary).toMatch(/by its digest/);
    }
  });

  it('reports of an earlier run do not stay, whether this one succeeds or fails', async () => {
    vi.stubEnv('MODELGATE_SCANNER', '/nowhere');
    const { output, context } = await scanLock('');
    await writeFile(path.join(output, 'image.json'), '{}');
    await scanLock('', { context, output });
    expect(readdirSync(output)).toEqual(['dependencies.json']);
    const { outcome } = await scanLock(pin('numpy==1.26.0'), { context, output });
    expect(outcome.reason_code).toBe('scanner_missing');
    expect(readdirSync(output)).toEqual([]);
  });
});
