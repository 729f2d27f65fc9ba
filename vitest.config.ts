import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // tests wait for their child processes half of the time: none of the cores is left out
    maxWorkers: availableParallelism(),
    globalSetup: './scripts/vitest-temporary.ts',
    reporters: ['default', './scripts/vitest-reporter.ts'],
  },
});
