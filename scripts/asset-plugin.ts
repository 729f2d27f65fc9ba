import { cp, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Plugin } from 'rolldown';

/** `assetPath(import.meta.url, 'name', 'folder/')`: src/assets.ts looks for `name` beside the bundle. */
const byName = /assetPath\(\s*import\.meta\.url\s*,\s*'([^'/]+)'\s*(?:,\s*'([^']+\/)'\s*)?,?\s*\)/g;
/** `new URL('./relative', import.meta.url)`, also with a template's fixed beginning. */
const byUrl = /new URL\(\s*(['"`])(\.{1,2}\/[^'"`$]*)(\$\{[^`]*)?\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;
const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const anyUse = /import\.meta\.(url|dirname|filename)/g;

export interface AssetOptions {
  /** The repository's root. */
  root: string;
  /** Modules that are entries of their own, by path from the root: their file in dist/. */
  entries: Readonly<Record<string, string>>;
}

/**
 * Brings the files along that modules look for beside themselves. All output files stand in one flat folder:
 * what `assetPath` names is copied there under its own name, what `new URL` names under `assets/<path from the
 * root>`, and that reference is written anew. A worker's module must be an entry. A use of `import.meta` that
 * this can't follow fails the build.
 */
export function assetPlugin({ root, entries }: AssetOptions): Plugin {
  /** Source from the root → target from dist/. */
  const assets = new Map<string, string>();
  const requireEntry = (module: string, file: string) => {
    if (entries[module] === file) return;
    throw new Error(`${module} is started as a process: add it to scripts/bundles.ts under the name ${file}`);
  };
  return {
    name: 'modelgate-assets',
    transform: {
      filter: { id: /\.ts$/, code: /import\.meta\.(url|dirname|filename)/ },
      handler(code, id) {
        if (id.includes('node_modules')) return null;
        const within = path.relative(root, id);
        const target = (relative: string) => path.relative(root, path.resolve(path.dirname(id), relative));
        let followed = 0;
        for (const [, name = '', folder = ''] of code.matchAll(byName)) {
          followed += 1;
          if (name.endsWith('.ts')) requireEntry(target(folder + name), name.replace(/\.ts$/, '.js'));
          else assets.set(target(folder + name), name);
        }
        const changed = code.replace(byUrl, (_, quote: string, relative: string, rest = '') => {
          followed += 1;
          const source = target(relative);
          if (source.endsWith('.ts') && rest === '') {
            const entry = entries[source] ?? '';
            requireEntry(source, entry || path.basename(source).replace(/\.ts$/, '.js'));
            return `new URL('./${entry}', import.meta.url)`;
          }
          // Of a template only the folder of its fixed beginning is known: all of it comes along.
          const known = rest === '' || relative.endsWith('/') ? source : path.dirname(source);
          assets.set(known, path.join('assets', known));
          return `new URL(${quote}./assets/${source}${relative.endsWith('/') ? '/' : ''}${rest}${quote}, import.meta.url)`;
        });
        const uses = [...code.replace(comments, '').matchAll(anyUse)].length;
        if (followed < uses) {
          throw new Error(
            `${within}: name files as assetPath(import.meta.url, 'name') or new URL('./name', import.meta.url), so that the bundle can bring them along`,
          );
        }
        return changed === code ? null : { code: changed, map: null };
      },
    },
    async writeBundle({ dir }) {
      if (dir === undefined) throw new Error('the bundle is written to a folder');
      for (const [source, target] of assets) {
        const from = path.join(root, source);
        const to = path.join(dir, target);
        await stat(from);
        await mkdir(path.dirname(to), { recursive: true });
        const unwanted = /(__pycache__|\.pyc$|\.ts$)/;
        await cp(from, to, { recursive: true, filter: (file) => !unwanted.test(file) });
      }
    },
  };
}
