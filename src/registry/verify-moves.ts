import type { LogEntry } from './entries.ts';
import { frozenAs, isBlank, needsOverride, retiredAs } from './guards.ts';
import { environmentOf, type ModelState } from './state.ts';

/**
 * Why no writer who keeps the rules made this move, from what the log says before it; null: none is known. Order of
 * environments, permissions and locks are not asked: the configuration and clocks that they need are not in the log.
 */
export function brokenRule(
  before: Pick<ModelState, 'versions' | 'environments'>,
  entry: LogEntry,
): string | null {
  if (entry.type !== 'promote' && entry.type !== 'rollback') return null;
  const { version, manifest } = entry;
  const to = before.versions[version - 1];
  if (to === undefined || to.manifest !== manifest) return null; // the fold tells it
  const target = environmentOf(before, entry.environment);
  const where = `to ${entry.environment}`;
  if (to.verdict === 'fail') return `it moves version ${version}, which failed its gate, ${where}`;
  if (retiredAs(before, manifest) !== null) return `it moves version ${version}, which is retired, ${where}`;
  if (entry.type === 'rollback') {
    if (entry.freeze === false && isBlank(entry.reason)) {
      return `it rolls ${entry.environment} back without keeping out what it leaves, and gives no reason`;
    }
    if (target.served.some((move) => move.version === version)) return null;
    return `it rolls ${entry.environment} back to version ${version}, which never served there`;
  }
  if (frozenAs(before, manifest, target) !== null) {
    return `it moves version ${version}, which was rolled back there, ${where}`;
  }
  if (entry.override !== undefined || !needsOverride(to, target)) return null;
  return `it moves version ${version}, whose gate was undecided, ${where} without the override or approval that it needs`;
}
