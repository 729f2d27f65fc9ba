import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { comparisonPlot } from '../../../src/gate/plots.ts';
import { GateRecord } from '../../../src/gate/record.ts';
import { parseJson } from '../../../src/json.ts';
import { distributionPlot } from '../../../src/monitoring/drift-page-column.ts';
import { DriftReport } from '../../../src/monitoring/drift-report.ts';
import type { StorySection } from '../../../src/report/story.ts';
import { openStorage } from '../../../src/store/open.ts';
import { Store } from '../../../src/store/store.ts';

const limit = 20_000_000;

/** Adds the pictures of the stages' own reports to the story, and links to the whole reports. */
export class Pictures {
  private readonly home: string;
  private readonly store: Promise<Store>;

  constructor(options: { home: string; store: string }) {
    this.home = options.home;
    this.store = openStorage(options.store).then((storage) => new Store(storage));
  }

  async gate(section: StorySection, digest: string, name: string): Promise<void> {
    const record = GateRecord.parse(await this.read(digest, 'gate.json'));
    const plot = comparisonPlot(record);
    if (plot !== null) section.svg = [...(section.svg ?? []), plot.draw];
    await this.link(section, digest, { file: `gate-${name}.html`, title: "The gate's whole report" });
  }

  async drift(section: StorySection, digest: string, drifted: readonly string[]): Promise<void> {
    const { inputs } = z.object({ inputs: DriftReport }).parse(await this.read(digest, 'drift.json'));
    const moved = drifted
      .slice(0, 2)
      .flatMap((name) => inputs.columns.filter((column) => column.name === name));
    for (const column of moved) {
      const { histogram } = column;
      if (histogram === null) continue;
      section.svg = [
        ...(section.svg ?? []),
        (width) => distributionPlot({ column, histogram, report: inputs, width }),
      ];
    }
    await this.link(section, digest, { file: 'drift.html', title: 'The whole drift report' });
  }

  private async read(digest: string, name: string): Promise<unknown> {
    const store = await this.store;
    const manifest = await store.readManifest(digest);
    return parseJson(
      (await store.readBytes(store.file(manifest, name).sha256, limit)).toString('utf8'),
      limit,
    );
  }

  private async link(
    section: StorySection,
    digest: string,
    to: { file: string; title: string },
  ): Promise<void> {
    const folder = path.join(this.home, 'reports');
    await mkdir(folder, { recursive: true });
    const store = await this.store;
    await copyFile(await store.manifestFile(digest, 'report.html'), path.join(folder, to.file)).catch(
      () => {},
    );
    section.links = [...(section.links ?? []), { title: to.title, href: `reports/${to.file}` }];
  }
}
