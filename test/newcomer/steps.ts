import { remote } from './newcomer.ts';

/** One thing that a newcomer does: a shell command as it is typed, and what the page says before it. */
export interface Step {
  text: string;
  command: string;
  /** The exit code that the command is to end with. */
  exit: number;
  /** What its output must hold. */
  says: RegExp;
  /** Lines of the output that the page shows. */
  shows: RegExp;
}

export const model = 'deliveries-late';
/** The port that the page shows; the test takes a free one. */
export const shownPort = 8080;

const params = (text: string) => `sed -i 's/params: .*/params: { ${text} }/' modelgate.yaml`;

/** From a CSV file and a script to a pull request. */
export const steps: readonly Step[] = [
  {
    text: 'A git repository with data and a script that trains on them. Each row is a delivery, and `late` is what is to be predicted.',
    command: 'head -n 3 data/deliveries.csv && cat train.py',
    exit: 0,
    says: /^delivery_id,placed_at[\s\S]*\.fit\(/,
    shows: /./,
  },
  {
    text: '`init` looks at the data, guesses label, key and time, and writes what is missing. It changes nothing that is there: your script stays, and the one that it writes is where your model goes. Without `--yes`, on a terminal, it asks.',
    command: 'npx modelgate init --yes',
    exit: 0,
    says: /classification of late from 4800 rows[\s\S]*train\.py +trains, but not through/,
    shows: /./,
  },
  {
    text: 'Read `modelgate.yaml`, the feature SQL and the contract: they are short, and what is guessed says so. Then commit, and push.',
    command: 'git add --all && git commit --quiet --message "Model repository by modelgate init"',
    exit: 0,
    says: /^$/,
    shows: /(?!)/,
  },
  {
    text: '',
    command: `git remote add origin ${remote} && git push --quiet origin main`,
    exit: 0,
    says: /^$/,
    shows: /(?!)/,
  },
  {
    text: 'Every stage, on this machine. The first run makes the Python environment, which takes a minute; later ones find it. The first version has no model to be compared with, so only the floors of `gate.yaml` judge it.',
    command: 'modelgate run --quiet',
    exit: 0,
    says: /✓ run {2}auc is [\s\S]*deliveries-late@1 is registered; its gate: pass/,
    shows: /./,
  },
  {
    text: 'What passed may move, in the order of the environments.',
    command: `modelgate promote ${model}@1 --to staging`,
    exit: 0,
    says: /staging promoted from nothing to version 1/,
    shows: /^[✓✗]/,
  },
  {
    text: '',
    command: `modelgate promote ${model}@1 --to production`,
    exit: 0,
    says: /production promoted from nothing to version 1/,
    shows: /^[✓✗]/,
  },
  {
    text: 'A change: three trees instead of a hundred. Push it, and open a pull request.',
    command: `git switch --quiet --create fewer-trees && ${params('learning_rate: 0.1, max_iter: 3')}`,
    exit: 0,
    says: /^$/,
    shows: /(?!)/,
  },
  {
    text: '',
    command: 'git commit --quiet --all --message "Three trees" && git push --quiet origin fewer-trees',
    exit: 0,
    says: /^$/,
    shows: /(?!)/,
  },
];

/** What the pull request's run shows. */
export const pullRequestText =
  'GitHub starts `pull-request.yml`, as `init` wrote it: the same stages on the newest month, on a hosted runner, with nothing set up and no secret. The run is green, and its summary, which the artifact `modelgate-result` holds as JSON, says:';

/** From the pull request's result to what serves. */
export const laterSteps: readonly Step[] = [
  {
    text: 'The change trains, keeps the contract and reaches the floors. Whether it is worse than production the sample run cannot know: it reaches no store. `train.yml` judges that on GitHub, once it is [set up](workflows.md); here `run` does, with the same stages. Both are scored on the same rows, and the gate stops the change, with exit code 1.',
    command: 'modelgate run --quiet',
    exit: 1,
    says: /✗ run {2}[\s\S]*the margin is/,
    shows: /^[✓✗]/,
  },
  {
    text: 'Another change, and this one holds: smaller trees, learned more slowly. Data, features and split are read back.',
    command: `${params('learning_rate: 0.05, max_iter: 80, max_leaf_nodes: 7')} && modelgate run --quiet`,
    exit: 0,
    says: /✓ run {2}auc rose by[\s\S]*deliveries-late@3 is registered; its gate: pass/,
    shows: /./,
  },
  {
    text: 'Without a version, `promote` takes the newest that passed.',
    command: `modelgate promote ${model} --to staging && modelgate promote ${model} --to production`,
    exit: 0,
    says: /staging promoted from version 1 to version 3[\s\S]*production promoted from version 1 to version 3/,
    shows: /^[✓✗]/,
  },
];

/** Starts a server that runs until the end; the page shows its first line. */
export const serveStep = {
  text: 'Serve it. The server follows the registry: what is promoted later is served without a restart.',
  command: `modelgate serve --model ${model} --environment production --port ${shownPort} &`,
};

const input = (name: string, datatype: string, value: unknown) =>
  `{"name": "${name}", "datatype": "${datatype}", "shape": [1, 1], "data": [${JSON.stringify(value)}]}`;

export const servedSteps: readonly Step[] = [
  {
    text: 'A request of the Open Inference Protocol: one tensor a feature.',
    command: [
      `curl -s http://127.0.0.1:${shownPort}/v2/models/${model}/infer -H 'content-type: application/json' -d '{"inputs": [`,
      `  ${input('distance_km', 'FP32', 32.5)},`,
      `  ${input('weight_kg', 'FP32', 4)},`,
      `  ${input('vehicle', 'BYTES', 'bike')},`,
      `  ${input('region', 'BYTES', 'west')},`,
      `  ${input('rain_mm', 'FP32', 12)}]}'`,
    ].join('\n'),
    exit: 0,
    says: /"model_version":"3"[\s\S]*"data":\[0\.\d+\]/,
    shows: /./,
  },
  {
    text: 'And back, in the time of one write. The server follows.',
    command: `modelgate rollback ${model} --in production`,
    exit: 0,
    says: /production rolled back from version 3 to version 1/,
    shows: /^[✓✗]/,
  },
];
