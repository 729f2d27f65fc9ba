import type { Probot } from 'probot';
import type { Logger } from '../src/logger.ts';
import { secretsOfInbox } from './open-inbox.ts';
import type { Settings } from './settings.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';
type Fields = Record<string, unknown>;

/** One JSON object a line. */
export interface BotLog extends Logger {
  write(level: Level, message: string, fields?: Fields): void;
}

const longest = 8_000;
/** What a credential of GitHub, of a cloud or of a signed request looks like, wherever it comes from. */
const shapes = [
  /\bgh[opsur]_[A-Za-z0-9_.-]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g,
  /\b(?:A3T|AKIA|ASIA)[A-Z0-9]{12,}/g,
  /-----BEGIN[^-]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END[^-]{0,40}PRIVATE KEY-----|$)/g,
  /\bsha(?:1|256)=[0-9a-f]{40,64}/g,
  /(?<=\b(?:bearer|token|basic) )[A-Za-z0-9._~+/=-]{16,}/gi,
  /(?<=[?&](?:X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|sig|access_token|client_secret)=)[^&\s"\\]+/gi,
  /(?<=\/\/[^\s/:@"]{0,100}:)[^\s/@"]+(?=@)/g,
];

/** Takes known secrets, and what looks like one, out of a text. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const pieces = secrets
    .flatMap((secret) => secret.split(/\r?\n|\\n/))
    .map((piece) => piece.trim())
    .filter((piece) => piece.length >= 8 && !piece.startsWith('-----'))
    .flatMap((piece) => [piece, encodeURIComponent(piece), JSON.stringify(piece).slice(1, -1)]);
  const known = [...new Set(pieces)].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const piece of known) clean = clean.replaceAll(piece, '[redacted]');
    for (const shape of shapes) clean = clean.replace(shape, '[redacted]');
    return clean;
  };
}

/** Values of the environment that must not be told, beside the settings' own. */
export function secretsOf(settings: Settings, environment: NodeJS.ProcessEnv): string[] {
  const named = Object.entries(environment).filter(([name]) =>
    /SECRET|TOKEN|PASSWORD|PRIVATE|CREDENTIAL|ACCESS_KEY/i.test(name),
  );
  return [
    settings.webhookSecret,
    settings.privateKey,
    ...secretsOfInbox(settings.inbox),
    ...named.flatMap(([name, value]) => (value === undefined || name.endsWith('_PATH') ? [] : [value])),
  ];
}

/** A fault's stack, without what hangs on its causes: requests and answers are among it. */
export const faultText = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

export interface LogOptions {
  redact: (text: string) => string;
  write: (line: string) => void;
  now?: () => Date;
  debug?: boolean;
}

export function structuredLog({ redact, write, now = () => new Date(), debug = false }: LogOptions): BotLog {
  const log: BotLog = {
    write(level, message, fields = {}) {
      if (level === 'debug' && !debug) return;
      const told = eventIn(message);
      const line = { time: now().toISOString(), level, ...(told ?? { message }), ...fields };
      const bounded = JSON.stringify(line, (_, value: unknown) =>
        typeof value === 'string' ? redact(value).slice(0, longest) : value,
      );
      write(`${bounded}\n`);
    },
    info: (message) => log.write('info', message),
    warn: (message) => log.write('warn', message),
    debug: (message) => log.write('debug', message),
  };
  return log;
}

/** Handlers log events as JSON: their fields become the line's. */
function eventIn(message: string): Fields | null {
  if (!message.startsWith('{"event":')) return null;
  try {
    return JSON.parse(message) as Fields;
  } catch {
    return null;
  }
}

type ProbotLog = NonNullable<ConstructorParameters<typeof Probot>[0]>['log'];

/** What Probot and its Octokit log: only that something went wrong, never payloads or bodies. */
export function probotLog(log: BotLog): NonNullable<ProbotLog> {
  const at =
    (level: Level) =>
    (...args: unknown[]) => {
      const error = args.find((one) => one instanceof Error);
      const text = args.find((one) => typeof one === 'string');
      log.write(level, error?.message ?? text ?? 'probot');
    };
  const quiet = () => {};
  const logger = {
    ...{ trace: quiet, debug: quiet, info: quiet, silent: quiet, level: 'warn' },
    ...{ warn: at('warn'), error: at('error'), fatal: at('error') },
    child: () => logger,
  };
  return logger as unknown as NonNullable<ProbotLog>;
}
