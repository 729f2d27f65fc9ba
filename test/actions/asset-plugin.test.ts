import { describe, expect, it } from 'vitest';
import { assetPlugin } from '../../scripts/asset-plugin.ts';

const plugin = assetPlugin({
  root: '/repo',
  entries: { 'src/evaluation/worker.ts': 'worker.js' },
});
const transform = (code: string, id = '/repo/src/evaluation/x.ts') => {
  const hook = plugin.transform as { handler(code: string, id: string): { code: string } | null };
  return hook.handler(code, id)?.code;
};

describe('the bundle brings files along', () => {
  it('leaves assetPath as it is, whose files lie beside the bundle', () => {
    const code =
      "assetPath(import.meta.url, 'modelgate.py', 'python/'); assetPath(import.meta.url, 'worker.ts')";
    expect(transform(code)).toBeUndefined();
  });

  it('writes a URL beside the module anew, relative to a flat folder', () => {
    expect(transform("new URL('../training/a.py', import.meta.url)")).toBe(
      "new URL('./assets/src/training/a.py', import.meta.url)",
    );
    expect(transform("new URL('./worker.ts', import.meta.url)")).toBe(
      "new URL('./worker.js', import.meta.url)",
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is the code under test
    expect(transform('new URL(`./runbooks/${name}.yaml`, import.meta.url)')).toBe(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
      'new URL(`./assets/src/evaluation/runbooks/${name}.yaml`, import.meta.url)',
    );
  });

  it('takes a comment for no use', () => {
    expect(() =>
      transform('/** `import.meta.url` of the caller */\n// import.meta.url\nexport {}'),
    ).not.toThrow();
  });

  it('fails where it could not follow', () => {
    for (const code of [
      'path.join(import.meta.dirname, "x")',
      'new URL(name, import.meta.url)',
      "assetPath(import.meta.url, 'other-worker.ts')",
      "new URL('./other-worker.ts', import.meta.url)",
    ]) {
      expect(() => transform(code), code).toThrow();
    }
  });
});
