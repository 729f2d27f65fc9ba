import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run with one plain line that any CI can read: `N passed, N failed, N skipped`. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests++;
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failed++;
        else skipped++;
      }
      // A file that breaks before its first test must not look like an empty one.
      if (module.state() === 'failed' && (tests === 0 || module.errors().length > 0)) failed++;
    }
    process.on('exit', () => {
      console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    });
  }
}
