import { type Blocks, counted } from '../data/blocks.ts';
import { type BlockSide, blockSide } from './block-side.ts';
import type { BlockPair } from './compare-blocks.ts';
import type { MonitoringPolicy } from './policy.ts';
import { predictionColumns } from './prediction-signals.ts';
import type { ReferenceBlocks } from './reference-blocks.ts';
import { answerColumns, eventTime, type ModelInput } from './served.ts';
import { hashedOn, type ServedDay } from './served-blocks.ts';
import type { LeftOut } from './tables.ts';

/**
 * The inputs of what was served, of all versions, against the training rows. An input that another version of the
 * window does not take is left out: its rows without it are no nulls.
 */
export function inputPair(
  training: ReferenceBlocks,
  days: readonly ServedDay[],
  {
    inputs,
    policy,
    taken = new Map(),
  }: {
    inputs: readonly ModelInput[];
    policy: MonitoringPolicy;
    /** Names of the inputs that versions take, of those that are known. */
    taken?: ReadonlyMap<number, ReadonlySet<string>>;
  },
): BlockPair {
  const { blocks } = training;
  const timed = blocks.time !== null;
  const unit = timed ? policy.block : null;
  const served = days.flatMap(({ day, versions }) => versions.map((one) => ({ blocks: one.blocks, day })));
  const present = new Set(served.flatMap((one) => one.blocks.columns.map(({ name }) => name)));
  // with values on other days it is compared: those that are hashed are told as nulls
  const hashed = hashedOn(days);
  const known = new Map(blocks.columns.map((column) => [column.name, column]));
  const counts = (name: string) => policy.columns?.includes(name) !== false;
  const without = (name: string) => [...taken].find(([, names]) => !names.has(name))?.[0];
  const missing = [...known.keys()].filter(
    (name) =>
      name !== eventTime &&
      counts(name) &&
      served.length > 0 &&
      !present.has(name) &&
      !hashed.has(name) &&
      without(name) === undefined,
  );
  const leftOut: LeftOut[] = [];
  const columns = [...known.values()].flatMap((column): BlockPair['columns'][number][] => {
    const { name, kind } = column;
    if (name === eventTime || !counts(name) || missing.includes(name)) return [];
    const unfit =
      policy.columns === undefined ? training.left_out.find((one) => one.name === name) : undefined;
    const why: Omit<LeftOut, 'name'> | undefined =
      policy.exclude.includes(name) || hashed.has(name)
        ? { reason: 'excluded', detail: hashed.has(name) ? 'only a hash of it is logged' : 'by request' }
        : kind === 'plain'
          ? { reason: 'unsupported_type', detail: `${column.physicalType} is not compared` }
          : kind === 'category' && !column.complete
            ? { reason: 'identifier', detail: `${column.distinct} different texts are too many to count` }
            : (unfit ?? untaken(without(name)));
    if (why !== undefined) {
      leftOut.push({ ...why, name });
      return [];
    }
    return [{ name, stored: name, kind: kind === 'numeric' ? 'numeric' : 'categorical' }];
  });
  const names = inputs.map(({ name }) => name).filter((name) => present.has(name) && !known.has(name));
  return {
    reference: blockSide([{ blocks }], unit),
    current: blockSide(served, unit),
    columns,
    leftOut,
    schema: { missing, unexpected: policy.columns === undefined ? names : [], changed: [] },
    timed,
  };
}

const untaken = (version: number | undefined): Omit<LeftOut, 'name'> | undefined =>
  version === undefined
    ? undefined
    : { reason: 'other_version', detail: `version ${version} served in the window, and does not take it` };

/** The answers of one version against the predictions that it was gated on. Requests without an answer are no rows. */
export function answerPair(
  evaluation: Blocks,
  days: readonly ServedDay[],
  { version, policy }: { version: number; policy: MonitoringPolicy },
): BlockPair {
  const timed = evaluation.time !== null;
  const unit = timed ? policy.block : null;
  const served = days.flatMap(({ day, versions }) =>
    versions.filter((one) => one.version === version).map(({ blocks }) => ({ blocks, day })),
  );
  const classes = evaluation.columns.some(({ name }) => name === answerColumns.class);
  return {
    reference: blockSide([{ blocks: evaluation }], unit),
    current: answered(blockSide(served, unit)),
    columns: [
      { name: predictionColumns.value, stored: answerColumns.value, kind: 'numeric' },
      ...(classes
        ? [{ name: predictionColumns.class, stored: answerColumns.class, kind: 'categorical' as const }]
        : []),
    ],
    leftOut: [],
    schema: { missing: [], unexpected: [], changed: [] },
    timed,
  };
}

function answered(side: BlockSide): BlockSide {
  const rowsByBlock = new Float64Array(side.labels.length);
  for (const { columns, index, block } of side.parts) {
    const value = columns.get(answerColumns.value);
    if (value?.kind === 'numeric') rowsByBlock[block]! += counted(value.parts[index]?.bins ?? []);
  }
  return { ...side, rowsByBlock, rows: rowsByBlock.reduce((sum, n) => sum + n, 0) };
}
