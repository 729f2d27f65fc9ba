import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { plural } from '../gate/numbers.ts';
import { ScansPolicy } from '../gate/policy-scans.ts';
import { readLock, requireScans } from '../gate/scans/coverage.ts';
import { lockName, noPackagesReport } from '../gate/scans/no-packages.ts';
import { readScan } from '../gate/scans/read.ts';
import { limits, Severity, Subject } from '../gate/scans/scan.ts';
import { Digest, sha256 } from '../json.ts';
import { nativeCache } from '../native.ts';
import { ImageReference } from '../scanning/image-reference.ts';
import { findScanner, scanTarget, type Target } from '../scanning/osv-scanner.ts';
import { defineStage, type StageContext } from './define.ts';

const files = { dependencies: 'dependencies.json', image: 'image.json' } as const;

const ScanInput = z.object({
  /** The package that the lock is of; null: of none yet. */
  model: Digest.nullable(),
  /** The lock, as a stored object. */
  lock: Digest,
  image: ImageReference.nullable(),
  /** Absolute path of the folder for the reports. */
  output: z.string().min(1).max(4096),
  offline: z.boolean(),
});
type ScanInput = z.infer<typeof ScanInput>;

const Scanned = z.object({
  subject: Subject,
  file: z.string(),
  target: z.string().nullable(),
  packages: z.number().int().nullable(),
  findings: z.record(Severity, z.number().int()),
});
type Scanned = z.infer<typeof Scanned>;

/** Has OSV-Scanner look at locked packages and at an image, and leaves its reports for the gate. */
export const scan = defineStage({
  name: 'scan',
  description: 'Has OSV-Scanner look at the locked packages, and at an image, for known weaknesses.',
  inputs: ScanInput,
  outputs: z.object({
    model: Digest.nullable(),
    dependencies: z.string(),
    image: z.string().nullable(),
    reports: z.array(Scanned),
  }),
  cache: false, // what is known changes by the day
  async run(input, context) {
    const { output } = input;
    const [dependencies, image] = Object.values(files).map((name) => path.join(output, name)) as [
      string,
      string,
    ];
    // what an earlier run left would be taken for this one's, also where this one fails
    for (const old of [dependencies, image]) await rm(old, { force: true });
    const made = await reportsOf(input, context);
    await mkdir(output, { recursive: true });
    for (const { subject, text } of made) await putReport(path.join(output, files[subject]), text);
    const reports = made.map(({ subject, scan }): Scanned => {
      const { target, packages, findings } = scan;
      const counts = Object.fromEntries(
        Severity.options.map((one) => [one, findings.filter(({ severity }) => severity === one).length]),
      ) as Scanned['findings'];
      return {
        subject,
        file: path.join(output, files[subject]),
        target,
        packages: packages?.length ?? null,
        findings: counts,
      };
    });
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: reports.map(told).join(' '),
      outputs: { model: input.model, dependencies, image: input.image === null ? null : image, reports },
    };
  },
});

interface Made {
  subject: keyof typeof files;
  text: string;
  scan: ReturnType<typeof readScan>;
}

/** The image first: it takes longest. Nothing is written before all reports are such as the gate can read. */
async function reportsOf(input: ScanInput, context: StageContext): Promise<Made[]> {
  const { lock, image, offline } = input;
  const { store, logger, signal } = context;
  const { env } = process;
  const { packages } = await readLock(store, lock);
  const look = async (target: Target, name: string) => {
    logger.info(`OSV-Scanner looks at ${name} …`);
    const folder = await mkdtemp(path.join(context.workDirectory, 'scan-'));
    const scanner = await findScanner({ env, cache: nativeCache(env), signal });
    return scanTarget({ scanner, target, name, folder, env, signal, offline, limit: limits.bytes });
  };
  const made: Made[] = [];
  if (image !== null) made.push(asRead('image', await look({ image }, image), image));
  if (packages.length === 0) made.push(asRead('dependencies', noPackagesReport(lock), lockName(lock)));
  else {
    const requirements = path.join(
      await mkdtemp(path.join(context.workDirectory, 'lock-')),
      'requirements.lock',
    );
    await writeFile(requirements, await store.readBytes(lock));
    const name = lockName(lock);
    const found = asRead('dependencies', await look({ requirements }, name), name);
    // a scanner that left a package out ends here as well, where its fault is told
    requireScans([{ ...found.scan, sha256: sha256(found.text) }], { policy: whole, lock: packages });
    made.push(found);
  }
  return made.reverse();
}

const whole = ScansPolicy.parse({ require: ['dependencies'] });

function asRead(subject: Made['subject'], report: unknown, where: string): Made {
  const text = `${JSON.stringify(report)}\n`;
  return { subject, text, scan: readScan(Buffer.from(text), { named: subject, where }) };
}

/** Whole or not at all, and never through a link that stands in the folder. */
async function putReport(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomUUID()}.part`;
  try {
    await writeFile(partial, text, { flag: 'wx' });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

function told({ subject, target, packages, findings }: Scanned): string {
  const what = subject === 'image' ? `The image ${target}` : `The lock (${target})`;
  if (packages === 0) return `${what} pins no package, so there is nothing to scan.`;
  const known = Object.entries(findings).filter(([, count]) => count > 0);
  const all = known.reduce((sum, [, count]) => sum + count, 0);
  const severities = known.map(([severity, count]) => `${count} ${severity}`).join(', ');
  return `${what}: ${plural(packages ?? 0, 'package')}, ${all === 0 ? 'nothing known against them' : `${plural(all, 'finding')} (${severities}), which the gate judges`}.`;
}
