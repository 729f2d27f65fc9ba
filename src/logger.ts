/** Where a stage tells what it does. Never given secrets or values of personal columns. */
export interface Logger {
  /** A step of long work, e.g. `trained 100 trees`. */
  info(message: string): void;
  /** Something that went well enough but deserves a look. */
  warn(message: string): void;
  /** Details for `--verbose`. */
  debug(message: string): void;
}

export const silentLogger: Logger = { info() {}, warn() {}, debug() {} };
