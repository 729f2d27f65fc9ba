import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../src/repository/glob.ts';
import { dependsOf, type ModelPaths, touchedModels, withLinks } from '../../src/repository/touched.ts';

const model = (config: string, depends: readonly string[] = []): ModelPaths => ({
  ...{ model: config.replace(/\W+/g, '-').toLowerCase(), config, depends },
  sample: config.replace('.yaml', '.sample.yaml'),
});
const touched = (models: readonly ModelPaths[], ...changed: string[]) =>
  touchedModels(models, changed).map(({ config }) => config);

describe('touchedModels', () => {
  const [a, b] = ['models/a/modelgate.yaml', 'models/b/modelgate.yaml'];
  const two = [model(a, ['base.yaml', 'shared/geo']), model(b, ['base.yaml', 'data/*.csv'])];

  it('goes by the folder of a model, and by what it names', () => {
    expect(touched(two, 'models/a/train.py')).toEqual([a]);
    expect(touched(two, 'models/a/deep/er/x.sql')).toEqual([a]);
    expect(touched(two, 'models/ab/train.py')).toEqual([]);
    expect(touched(two, 'base.yaml')).toEqual([a, b]);
    expect(touched(two, 'shared/geo/distance.py')).toEqual([a]);
    expect(touched(two, 'shared/geometry.py')).toEqual([]);
    expect(touched(two, 'data/june.csv')).toEqual([b]);
    expect(touched(two, 'README.md')).toEqual([]);
    expect(touched(two)).toEqual([]);
  });

  it('a lonely model at the root is touched by everything; beside others by what is nobody else’s', () => {
    const root = model('modelgate.yaml');
    expect(touched([root], 'docs/a.md')).toEqual(['modelgate.yaml']);
    expect(touched([root], '.github/workflows/train.yml')).toEqual(['modelgate.yaml']);
    expect(touched([root, ...two], 'models/a/train.py')).toEqual([a]);
    expect(touched([root, ...two], 'models/c/train.py')).toEqual(['modelgate.yaml']);
  });

  it('the whole repository can be named', () => {
    expect(touched([model(a, ['.'])], 'elsewhere/x')).toEqual([a]);
    expect(touched([model(a, ['.'])])).toEqual([]);
  });

  it('two models in one folder: each has its configurations for itself, and shares the rest', () => {
    const [one, other] = ['m/one.yaml', 'm/other.yaml'];
    const both = [model(one), model(other)];
    expect(touched(both, 'm/one.yaml')).toEqual([one]);
    expect(touched(both, 'm/other.sample.yaml')).toEqual([other]);
    expect(touched(both, 'm/train.py')).toEqual([one, other]);
  });

  it('what is named below a submodule or a link changes with it', () => {
    const models = [model(a, ['vendor/lib/geo.py']), model(b, ['vendor/lib/*.sql'])];
    expect(touched(models, 'vendor/lib')).toEqual([a, b]);
    expect(touched(models, 'vendor')).toEqual([a, b]);
    expect(touched(models, 'vendor/li', 'vendor/lib2/geo.py')).toEqual([]);
  });

  it('a link changes with what it leads to, over folders and other links', () => {
    const links = new Map([
      ['models/a/geo.py', 'lib/geo.py'],
      ['models/b/geo', 'lib'],
      ['lib', 'shared/geo'],
      ['models/c/x.py', 'models/d/x.py'],
      ['models/d/x.py', 'models/c/x.py'],
    ]);
    const more = (...changed: string[]) => withLinks(changed, links).slice(changed.length).sort();
    expect(more('shared/geo/geo.py')).toEqual(['lib', 'models/a/geo.py', 'models/b/geo']);
    expect(more('shared/geography.py', 'README.md')).toEqual([]);
    expect(more('models/c/x.py')).toEqual(['models/d/x.py']);
  });

  it('a pattern that only configurations take stands for its folder', () => {
    const config = { train: { script: '/r/models/a/train.py' } } as Parameters<typeof dependsOf>[1]['config'];
    const named = ['/r/data/{june,july}.csv', '/r/data/*/[ab].csv', '/r/c++/(1)/x.csv', '/r/[ab].csv'];
    const depends = dependsOf('/r', { config, files: [], named });
    expect(depends).toEqual([
      ...['.', '[ab].csv', 'c++/(1)/x.csv', 'data', 'data/*/[ab].csv', 'data/{june,july}.csv'],
      'models/a/*.py',
    ]);
  });

  it('a hostile name is only a name', () => {
    const hostile = ['models/a\n::error::/x\'"; rm -rf /', '\u202emodels/a', '**', 'models'];
    expect(touched(two, ...hostile)).toEqual([]);
  });

  it('agrees with a plain search on any repository and change', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'shared');
    const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const pattern = fc.oneof(file, fc.constantFrom('**/c', 'shared/*', 'a/**', '?/b', '.'));
    const models = fc
      .uniqueArray(
        fc.record({
          folder: fc.oneof(fc.constant(''), file),
          depends: fc.array(pattern, { maxLength: 3 }),
        }),
        { maxLength: 6, selector: ({ folder }) => folder },
      )
      .map((list) =>
        list.map(({ folder, depends }) =>
          model(folder === '' ? 'modelgate.yaml' : `${folder}/modelgate.yaml`, depends),
        ),
      );
    const own = (all: readonly ModelPaths[], one: string): string | undefined =>
      all
        .map(({ config }) => config.replace(/(^|\/)modelgate\.yaml$/, ''))
        .filter((folder) => folder === '' || one.startsWith(`${folder}/`))
        .sort((x, y) => y.length - x.length)[0];
    fc.assert(
      fc.property(models, fc.array(file, { maxLength: 6 }), (all, changed) => {
        const expected = all
          .filter(({ config, depends }) =>
            changed.some(
              (one) =>
                own(all, one) === config.replace(/(^|\/)modelgate\.yaml$/, '') ||
                depends.some(
                  (named) =>
                    named === '.' ||
                    one === named ||
                    one.startsWith(`${named}/`) ||
                    named.startsWith(`${one}/`) ||
                    matchesGlob(named, one),
                ),
            ),
          )
          .map(({ config }) => config);
        expect(touched(all, ...changed)).toEqual(expected);
      }),
      { seed: 8, numRuns: 2000 },
    );
  });
});
