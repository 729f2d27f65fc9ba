import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Instant } from '../config/schema.ts';
import { parseContract } from '../data/contract.ts';
import { checkContract } from '../data/contract-check.ts';
import { computeBlocks } from '../data/profile.ts';
import { UserError } from '../errors.ts';
import { defineStage } from './define.ts';
import { CheckResult } from './validate.ts';

const path = z.string().min(1).max(4000);

/** A table against a contract, without store or pipeline: the engine of `validate` for a file at hand. */
export const check = defineStage({
  name: 'check',
  description: 'Checks a Parquet or CSV file against a contract of the Open Data Contract Standard.',
  inputs: z.object({
    file: path,
    contract: path,
    /** The present, by which freshness is judged; default now. */
    as_of: Instant.optional(),
    /** An accepted file to compare distributions and renamed columns with. */
    baseline: path.optional(),
  }),
  outputs: z.object({ checks: z.array(CheckResult), rows: z.number().int() }),
  cache: false,
  async run(input, context) {
    const text = await readFile(input.contract, 'utf8').catch((cause: unknown) => {
      throw new UserError({
        code: 'config_missing',
        message: 'The contract cannot be read.',
        where: { file: input.contract },
        fix: 'Give the path of an ODCS file with --contract.',
        cause,
      });
    });
    const contract = parseContract(text, input.contract);
    const engine = await context.engine();
    try {
      await engine.addFile('batch', input.file);
      const blocks = await computeBlocks({ engine, view: 'batch', time: null });
      let baseline = null;
      if (input.baseline !== undefined) {
        await engine.addFile('earlier', input.baseline);
        baseline = await computeBlocks({ engine, view: 'earlier', time: null });
      }
      const asOf = input.as_of ?? context.now().toISOString();
      const checks = await checkContract({ engine, view: 'batch', contract, blocks, baseline, asOf });
      const failed = checks.filter(({ verdict }) => verdict === 'fail');
      const outputs = { checks, rows: blocks.rows };
      if (failed.length === 0) {
        const summary = `${checks.length} checks of ${blocks.rows} rows passed.`;
        return { verdict: 'pass', reason_code: 'checks_passed', summary, outputs };
      }
      const told = failed.slice(0, 3).map(({ message }) => message);
      const summary = `${failed.length} of ${checks.length} checks failed: ${told.join(' ')}`;
      return { verdict: 'fail', reason_code: 'contract_failed', summary, outputs };
    } finally {
      await engine.close();
    }
  },
});
