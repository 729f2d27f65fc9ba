import type { SqlEngine } from '../../data/engine.ts';
import { type Check, check } from '../check.ts';
import { formatCount, plural } from '../numbers.ts';
import type { GatePolicy, RulePolicy } from '../policy.ts';
import { checkExpression, runPolicySql } from '../policy-sql.ts';

/** Business rules, counted in SQL over `candidate_rows` (and `champion_rows`); null is a violation. */
export async function ruleChecks(
  engine: SqlEngine,
  { policy, hasChampion }: { policy: GatePolicy; hasChampion: boolean },
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const rule of policy.rules) checks.push(await ruleCheck(engine, rule, hasChampion));
  return checks;
}

async function ruleCheck(engine: SqlEngine, rule: RulePolicy, hasChampion: boolean): Promise<Check> {
  const where = `gate.rules.${rule.id}.expr`;
  await checkExpression(engine, { expression: rule.expr, where, type: 'boolean' });
  const count = async (view: string) => {
    const sql = `SELECT count(*) AS rows, count(*) FILTER (WHERE (\n${rule.expr}\n) IS NOT TRUE) AS broken FROM ${view}`;
    const row = (await runPolicySql(() => engine.rows(sql), where))[0];
    return { rows: Number(row?.rows ?? 0), broken: Number(row?.broken ?? 0) };
  };
  const { rows, broken } = await count('candidate_rows');
  const champion = hasChampion ? (await count('champion_rows')).broken : null;
  const allowed = rule.max_violations === 0 ? 'none may' : `${formatCount(rule.max_violations)} may`;
  const before = champion === null ? '' : ` The champion broke it on ${formatCount(champion)}.`;
  return check({
    id: `rule:${rule.id}`,
    kind: 'rule',
    title: rule.id,
    effect: 'blocks',
    verdict: rows === 0 ? 'inconclusive' : broken <= rule.max_violations ? 'pass' : 'fail',
    reason: `The rule ${rule.id} is broken on ${formatCount(broken)} of ${plural(rows, 'row')}; ${allowed}.${before}`,
    champion,
    candidate: broken,
    margin: rule.max_violations,
    method: 'sql',
    n: rows,
  });
}
