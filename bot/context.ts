import type { ChatopsContext, ConfiguredModel } from '../src/chatops/context.ts';
import { ChatopsPolicy } from '../src/chatops/policy.ts';
import { replyKeyOf } from '../src/chatops/reply-key.ts';
import type { Config } from '../src/config/schema.ts';
import { UserError } from '../src/errors.ts';
import type { GitHub } from '../src/github/port.ts';
import type { Logger } from '../src/logger.ts';
import { Registry } from '../src/registry/registry.ts';
import { openStorage } from '../src/store/open.ts';
import { Store } from '../src/store/store.ts';
import { type Found, readConfigurations } from './configurations.ts';
import type { Settings } from './settings.ts';

const mostCommits = 500;
const mostBlobs = 5000;
const mostStores = 200;

/** Without the webhook's secret, in a job of GitHub Actions, replies are not signed. */
type ContextSettings = Pick<Settings, 'store' | 'configFiles'> & Partial<Pick<Settings, 'webhookSecret'>>;

/** Makes the context of handlers: configuration and policy of the default branch, at the commit that it has now. */
export class ContextSource {
  private readonly settings: ContextSettings;
  private readonly logger: Logger;
  private readonly now: () => Date;
  /** By `owner/repo@commit`: a commit does not change. */
  private readonly configs = new Map<string, Promise<Found[]>>();
  /** Texts of files by `owner/repo blob`. */
  private readonly blobs = new Map<string, Promise<string | null>>();
  private readonly registries = new Map<string, Promise<Registry>>();

  constructor(options: {
    settings: ContextSettings;
    logger: Logger;
    now?: () => Date;
  }) {
    this.settings = options.settings;
    this.logger = options.logger;
    this.now = options.now ?? (() => new Date());
  }

  /** Throws `config_missing`, `config_invalid`, `storage_unsuitable`, `storage_unavailable`. */
  async of(github: GitHub): Promise<ChatopsContext> {
    const { name: branch, sha } = await github.defaultBranch();
    const { owner, repo } = github.repository;
    const { webhookSecret } = this.settings;
    const key = `${owner}/${repo}@${sha}`.toLowerCase();
    const found = await kept(this.configs, { key, most: mostCommits, make: () => this.read(github, sha) });
    const models = new Map<string, ConfiguredModel>();
    for (const { file, config, depends } of found) {
      if (models.has(config.model)) {
        throw new UserError({
          code: 'config_invalid',
          message: `Two files configure the model ${config.model}: ${models.get(config.model)?.file} and ${file}.`,
          where: { file },
          fix: 'Give each model a name of its own.',
        });
      }
      models.set(config.model, { file, config, depends, registry: await this.registryOf(github, config) });
    }
    return {
      ...{ github, models, base: { branch, sha }, now: this.now, logger: this.logger },
      policy: found[0]?.config.chatops ?? ChatopsPolicy.parse({}),
      ...(webhookSecret === undefined ? {} : { replyKey: replyKeyOf(webhookSecret) }),
    };
  }

  private read(github: GitHub, sha: string): Promise<Found[]> {
    const { owner, repo } = github.repository;
    return readConfigurations(github, {
      ...{ sha, wanted: this.settings.configFiles, logger: this.logger },
      blobs: (blob, make) =>
        kept(this.blobs, { key: `${owner}/${repo} ${blob}`.toLowerCase(), most: mostBlobs, make }),
    });
  }

  private registryOf({ repository }: GitHub, { store, model }: Config): Promise<Registry> {
    const url = (this.settings.store ?? this.remote(store, model))
      .replaceAll('{owner}', repository.owner.toLowerCase())
      .replaceAll('{repo}', repository.repo.toLowerCase());
    return kept(this.registries, {
      key: url,
      most: mostStores,
      make: async () =>
        new Registry({ store: new Store(await openStorage(url)), now: this.now, logger: this.logger }),
    });
  }

  /** A folder beside modelgate.yaml is on another machine. */
  private remote(store: string, model: string): string {
    if (store.startsWith('s3://')) return store;
    throw new UserError({
      code: 'storage_unsuitable',
      message: `The store of ${model} is a folder of the repository, which the bot does not have.`,
      where: { file: 'modelgate.yaml', key: 'store' },
      fix: 'Set `store` to s3://bucket/prefix, or MODELGATE_STORE of the bot.',
    });
  }
}

/** The value of a key, made once; what failed is made again. The oldest is forgotten. */
function kept<T>(
  values: Map<string, Promise<T>>,
  { key, most, make }: { key: string; most: number; make: () => Promise<T> },
): Promise<T> {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  const oldest = values.size >= most ? values.keys().next().value : undefined;
  if (oldest !== undefined) values.delete(oldest);
  values.set(key, made);
  made.catch(() => values.delete(key));
  return made;
}
