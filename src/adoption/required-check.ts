import type { RequiredCheck } from '../github/repository-setup.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';

export interface Judging {
  branch: string;
  /** The models of the repository, and where each is configured; none where the configuration cannot be read. */
  models: readonly { model: string; config: string }[];
  /** Whether the app is set up. */
  app: boolean;
}

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;

/** The job `result` of pull-request.yml. */
const sample = 'sample run';
const status = 'modelgate/gate';
/** What the app sets; and train.yml, for a model that is not configured by modelgate.yaml at the root. */
const gateOf = (model: string): string => `${status} (${model})`;
const isGate = ({ name }: RequiredCheck): boolean => /^modelgate\/gate( \(.*\))?$/.test(name);
/** GitHub's own number of the app that Actions is, on github.com. */
const actions = 15_368;
const table = 'docs/workflows.md, "The required check"';

/**
 * Whether the check that fits the repository is required: docs/workflows.md has the table. A weaker one is a warning
 * that says what it does not prove.
 */
export function requiredCheck(of: Of, required: readonly RequiredCheck[], judging: Judging): SetupCheck {
  const samples = required.some(({ name }) => name === sample);
  const gates = required.filter(isGate);
  const { models } = judging;
  return models.length > 1
    ? ofMany(of, { gates, samples, judging })
    : ofOne(of, { gates, samples, judging, only: models[0] });
}

interface Found {
  gates: readonly RequiredCheck[];
  samples: boolean;
  judging: Judging;
}

function ofOne(
  of: Of,
  { gates, samples, judging, only }: Found & { only: Judging['models'][number] | undefined },
): SetupCheck {
  const { branch, app } = judging;
  const ofApp = only === undefined ? null : gateOf(only.model);
  const ofTrain = only === undefined || only.config === 'modelgate.yaml' ? status : ofApp;
  const improve = `Require ${app && ofApp !== null ? `${ofApp}, with the ModelGate app as its only source` : ofTrain} (${table}).`;

  const pinned = gates.find(
    (one) => (only === undefined || one.name === ofApp) && one.app !== null && one.app !== actions,
  );
  if (pinned !== undefined)
    return ok(of, `${branch} takes no commit without ${pinned.name} of the app ${pinned.app}.`);

  const open = gates.find(
    (one) => only === undefined || one.name === ofTrain || (app && one.app === null && one.name === ofApp),
  );
  if (open !== undefined) {
    const detail = `${branch} takes no commit without ${open.name}, which anybody who may write to the repository can set.`;
    return app ? warn(of, detail, improve) : ok(of, detail);
  }

  const [other] = gates;
  if (other !== undefined)
    return warn(of, `${other.name} is required, and nothing here sets it: pull requests wait.`, improve);
  if (samples)
    return warn(
      of,
      `${branch} takes no commit without ${sample}. It says that the pipeline runs on a sample, not that the gate passed, and a pull request can change the workflow that says it.`,
      improve,
    );
  return missing(of, `${branch} takes commits that nothing of ModelGate has looked at.`, improve);
}

/** Of several models no gate comes for every pull request. */
function ofMany(of: Of, { gates, samples, judging: { branch } }: Found): SetupCheck {
  const improve = `Require ${sample} (${table}).`;
  const [gate] = gates;
  if (gate !== undefined)
    return warn(
      of,
      `${gate.name} is required: a pull request for which no such model is trained waits.`,
      samples ? `Take ${gate.name} out of the rule (${table}).` : improve,
    );
  return samples
    ? ok(
        of,
        `${branch} takes no commit without ${sample}. It proves no verdict, and a pull request can change it: the verdict is asked for when a version moves.`,
      )
    : missing(of, `${branch} takes commits that nothing of ModelGate has looked at.`, improve);
}
