import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWhere, placeIn } from '../../actions/annotations.ts';
import { harmless } from '../../actions/log.ts';
import { describeRunner } from '../../actions/runner.ts';
import { cell, renderSummary } from '../../actions/summary.ts';
import type { Outcome } from '../../src/outcome.ts';
import { outcome } from './host.ts';

describe('the place of an annotation', () => {
  it('is read from what describeWhere writes', () => {
    expect(parseWhere('contracts/flights.yaml:12:3 schema.dest')).toEqual({
      file: 'contracts/flights.yaml',
      line: 12,
      column: 3,
    });
    expect(parseWhere('modelgate.yaml:7')).toEqual({ file: 'modelgate.yaml', line: 7 });
  });

  it('is a file of the workspace or none', () => {
    expect(placeIn('/work', '/work/a/b.yaml:2')).toMatchObject({ file: 'a/b.yaml', line: 2 });
    for (const where of ['/etc/passwd:1', '/work/../etc/passwd:1:1', 'https://host:443/x', null, '']) {
      expect(placeIn('/work', where)).toEqual({});
    }
  });
});

describe('text of a stranger', () => {
  it('is never a command to the runner', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('::', '##[', 'error', '\n', '\r', ' ', '\u2028', 'x', '#', '[')),
        (parts) => {
          for (const line of harmless(parts.join('')).split(/[\r\n\u2028]/)) {
            expect(line).not.toMatch(/^\s*::/);
            expect(line).not.toContain('##[');
          }
        },
      ),
    );
  });

  it('is one cell of a table, without markup, mention, reference or link', () => {
    const hostile = [
      '|',
      '\n',
      '<img src=x>',
      '[a](http://b)',
      '@team',
      '#12',
      '`',
      '![',
      '\u202e',
      'GH-3',
      'www.x.y',
      '\u200b',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary' }))), (parts) => {
        const text = cell(parts.join(''));
        expect(text).not.toMatch(/[|<>[\]`\n\r\u202e\u200b]/);
        expect(text).not.toMatch(/@[A-Za-z0-9]|:\/\/|\bwww\./i);
        expect(text.replaceAll(/&#\d+;/g, '')).not.toMatch(/#[A-Za-z0-9]/);
      }),
    );
  });

  it('keeps plain words as they are', () => {
    expect(cell('flights-late 0.9173 (v3)')).toBe('flights-late 0.9173 &#40;v3&#41;');
  });
});

describe('the job summary', () => {
  const runner = { name: 'gpu-7', kind: 'self-hosted', gpus: ['NVIDIA H200 (143771 MiB, driver 570)'] };

  it('[TRN-4] shows verdict, runner and GPU, and the report below', () => {
    const text = renderSummary({ outcome: outcome() as Outcome, runner, report: '## Report\n' });
    expect(text).toContain('✅ pass');
    expect(text).toContain('NVIDIA H200');
    expect(text.trimEnd().endsWith('## Report')).toBe(true);
  });

  it('prints the anchor of a move, as registry verify takes it', () => {
    const head = 'ab'.repeat(32);
    const moved = { ...(outcome() as Outcome), outputs: { environment: 'staging', seq: 12, head } };
    expect(renderSummary({ outcome: moved, runner, report: null })).toContain(`| anchor | 12:${head} |`);
    const planned = { ...moved, outputs: { ...moved.outputs, seq: null, head: null } };
    expect(renderSummary({ outcome: planned, runner, report: null })).not.toContain('anchor');
  });

  it('stays below the size at which GitHub drops it whole', () => {
    const outputs = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`o${n}`, 'x'.repeat(100_000)]));
    const text = renderSummary({
      outcome: outcome({ outputs }) as Outcome,
      runner,
      report: 'y'.repeat(2_000_000),
    });
    expect(Buffer.byteLength(text)).toBeLessThan(1_048_576);
    expect(text).toContain('too long');
  });
});

describe('the runner', () => {
  it('has no GPU where there is no nvidia-smi', async () => {
    expect(await describeRunner({}, '/nowhere/nvidia-smi')).toEqual({
      name: 'local',
      kind: 'self-hosted',
      gpus: [],
    });
  });

  it('[TRN-4] names each GPU with memory and driver', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'nvidia-'));
    try {
      const fake = path.join(folder, 'nvidia-smi');
      const lines = 'NVIDIA H200, 143771 MiB, 570.133\\nNVIDIA H200, 143771 MiB, 570.133\\n';
      await writeFile(fake, `#!/bin/sh\nprintf '${lines}'\n`, { mode: 0o755 });
      const { gpus } = await describeRunner({}, fake);
      expect(gpus).toEqual(Array(2).fill('NVIDIA H200 (143771 MiB, driver 570.133)'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
