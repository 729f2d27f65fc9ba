/** Every failure has exactly one class; each class has a playbook of its own. */
export type FailureClass = 'data' | 'infrastructure' | 'model' | 'unknown';

/**
 * The one registry of reason codes: error codes and the reason codes of outcomes. Scripts read them: a code
 * is never renamed or reused.
 */
export const codes = {
  // outcomes without a failure
  done: { class: 'unknown', means: 'the stage did what it was asked' },
  checks_passed: { class: 'unknown', means: 'every check passed' },
  nothing_to_do: { class: 'unknown', means: 'the wanted state was there already' },

  // the user's configuration and command line
  usage: { class: 'unknown', means: 'the command line is not understood' },
  config_invalid: { class: 'unknown', means: 'modelgate.yaml does not fit its schema' },
  config_missing: { class: 'unknown', means: 'a configuration file, or a file it names, is not there' },
  too_many_models: { class: 'unknown', means: 'more models than GitHub takes in one matrix' },
  native_missing: {
    class: 'infrastructure',
    means: 'a library with compiled code is not installed for this machine',
  },
  native_unsupported: {
    class: 'infrastructure',
    means: 'a library with compiled code is not published for this platform',
  },
  native_damaged: {
    class: 'infrastructure',
    means: 'the downloaded archive of a library is not the pinned one',
  },
  interrupted: { class: 'infrastructure', means: 'stopped by a signal before the end' },
  setup_incomplete: { class: 'unknown', means: 'the repository lacks something that production needs' },
  internal: { class: 'unknown', means: 'a fault of ModelGate itself' },

  // data
  data_unavailable: { class: 'data', means: 'a source could not be read' },
  data_unreadable: { class: 'data', means: 'a file is corrupt or not of the stated format' },
  data_empty: { class: 'data', means: 'a table or window holds no rows' },
  contract_failed: { class: 'data', means: 'the data break their contract; the batch is in quarantine' },
  contract_invalid: { class: 'data', means: 'the contract file itself is not valid' },
  engine_memory: { class: 'infrastructure', means: 'the SQL engine ran out of memory' },
  feature_sql_failed: { class: 'data', means: 'the feature SQL does not run' },
  feature_leak: { class: 'data', means: 'a feature uses a value that was not known at prediction time' },
  feature_skew: { class: 'data', means: 'training and serving give different feature values' },
  split_overlap: { class: 'data', means: 'one key stands in two parts of a split' },
  label_invalid: {
    class: 'data',
    means: 'the label has one class only, nulls, or another type than the task needs',
  },

  // training
  python_missing: { class: 'infrastructure', means: 'no suitable Python was found' },
  environment_unpinned: { class: 'infrastructure', means: 'requirements are not pinned with hashes' },
  environment_failed: { class: 'infrastructure', means: 'the Python environment could not be installed' },
  training_failed: { class: 'model', means: 'the training script ended with an error' },
  training_timeout: { class: 'infrastructure', means: 'training took longer than its limit' },
  training_out_of_memory: { class: 'infrastructure', means: 'training ran out of memory' },
  training_disk_full: { class: 'infrastructure', means: 'the disk filled up during training' },
  image_unavailable: {
    class: 'infrastructure',
    means: 'the image of a training container could not be pulled',
  },
  training_incomplete: { class: 'model', means: 'the script ended without a model or without its metrics' },
  reproduced: { class: 'unknown', means: 'the recipe, trained again, gave the same metrics' },
  not_reproduced: {
    class: 'model',
    means: 'the recipe, trained again, gave metrics beyond the tolerance',
  },
  model_refused: { class: 'model', means: 'the model file is not a plain, safe ONNX file' },
  model_signature: { class: 'model', means: 'the model and the features do not fit together' },
  model_parity: { class: 'model', means: 'the exported model predicts otherwise than the trained one' },
  prediction_invalid: { class: 'model', means: 'the model predicts NaN or infinite values' },
  inference_failed: { class: 'model', means: 'the model could not be run' },

  // evaluation and gate
  evaluation_set_changed: { class: 'data', means: 'the evaluation set is not the pinned one' },
  evaluation_unpaired: { class: 'data', means: 'rows of the evaluation set have no prediction' },
  evaluation_leak: { class: 'data', means: 'rows of the evaluation set were trained on' },
  gate_passed: { class: 'model', means: 'every blocking check passed' },
  gate_failed: { class: 'model', means: 'at least one blocking check failed' },
  gate_inconclusive: { class: 'model', means: 'the data cannot decide at least one blocking check' },
  scan_missing: { class: 'infrastructure', means: 'a scan that the gate asks for was not given' },
  scan_unreadable: { class: 'infrastructure', means: 'a scan is not a report of a known format' },
  scan_incomplete: {
    class: 'infrastructure',
    means: 'a scan does not show that it looked at what is to be judged',
  },
  scanner_missing: {
    class: 'infrastructure',
    means: 'there is no scanner for this machine, or it cannot be had',
  },
  scanner_damaged: { class: 'infrastructure', means: 'the downloaded scanner is not the pinned one' },
  scanner_failed: { class: 'infrastructure', means: 'the scanner did not come to its end' },

  // store and registry
  storage_unavailable: { class: 'infrastructure', means: 'the store cannot be read or written' },
  storage_unsuitable: { class: 'infrastructure', means: 'the store cannot do what the registry needs' },
  object_missing: { class: 'infrastructure', means: 'an object named by a digest is not in the store' },
  object_damaged: { class: 'infrastructure', means: 'the bytes of an object do not have its digest' },
  artifact_missing: {
    class: 'infrastructure',
    means: 'no earlier job of this run handed over this artifact',
  },
  handoff_refused: { class: 'infrastructure', means: 'what another job handed over is not what it says' },
  retraining_refused: {
    class: 'infrastructure',
    means: 'the gate would run the code of the candidate in a job that holds rights',
  },
  log_damaged: { class: 'infrastructure', means: 'the log is not a sound hash chain' },
  model_unknown: { class: 'unknown', means: 'the registry has no such model' },
  version_unknown: { class: 'unknown', means: 'the model has no such version' },
  environment_unknown: { class: 'unknown', means: 'modelgate.yaml names no such environment' },
  record_incomplete: {
    class: 'model',
    means: 'a run without commit, data, parameters or metrics cannot be registered',
  },
  approval_needed: { class: 'unknown', means: 'another person has not approved this promotion yet' },
  approval_refused: { class: 'unknown', means: 'this person cannot approve this promotion' },
  override_refused: { class: 'unknown', means: 'this person may not promote past an undecided gate' },
  not_passed: { class: 'model', means: 'the version did not pass its gate' },
  order: { class: 'unknown', means: 'the version is not in the environment before this one' },
  signature_missing: {
    class: 'model',
    means: 'the version has no signature, and the environment asks for one',
  },
  signature_invalid: { class: 'model', means: 'a signature is broken, or of other files than the package' },
  signature_untrusted: {
    class: 'model',
    means: 'the signature is sound, but by nobody whom the environment believes',
  },
  provenance_missing: {
    class: 'model',
    means: 'nothing says where the version was made, and the environment asks for it',
  },
  provenance_invalid: { class: 'model', means: 'the provenance is broken, or of another package' },
  provenance_untrusted: {
    class: 'model',
    means: 'the provenance is not by the workflow that the environment believes',
  },
  still_serving: { class: 'unknown', means: 'the version serves in an environment' },
  retired: { class: 'unknown', means: 'the package is retired, under this or another version number' },
  frozen: { class: 'unknown', means: 'the package was rolled back from this environment' },
  locked: { class: 'unknown', means: 'somebody holds the lock of this environment' },
  not_owner: { class: 'unknown', means: 'the lock belongs to somebody else' },
  digest_mismatch: { class: 'unknown', means: 'the version is another package than the one that was named' },
  generation_moved: { class: 'unknown', means: 'the environment has moved since it was looked at' },
  op_id_reused: { class: 'unknown', means: 'the operation id belongs to another operation' },
  lost_race: { class: 'infrastructure', means: 'others wrote to the log too often at the same time' },
  sweeping: { class: 'infrastructure', means: 'garbage collection is removing what is needed' },
  log_diverged: { class: 'unknown', means: 'the other store has another history of this model' },
  serving_differs: { class: 'infrastructure', means: 'what serves is not what the registry says' },
  no_previous: { class: 'unknown', means: 'there is no earlier healthy version to go back to' },
  registry_unreachable: { class: 'infrastructure', means: 'registry verify could not read the store' },
  registry_unanchored: {
    class: 'infrastructure',
    means: 'the wanted anchor is missing, so truncation cannot be seen',
  },
  registry_unsound: { class: 'infrastructure', means: 'registry verify found damage' },

  // serving and monitoring
  nothing_deployed: { class: 'unknown', means: 'the environment has no version yet' },
  prediction_unknown: { class: 'unknown', means: 'no logged prediction has this id' },
  drift_found: { class: 'data', means: 'at least one column drifted' },
  no_drift: { class: 'unknown', means: 'no column drifted' },
  not_decidable: { class: 'unknown', means: 'too little data to decide' },
  schema_differs: { class: 'data', means: 'columns are missing or have another type than before' },
  performance_fell: {
    class: 'model',
    means: 'the metric of labelled predictions is past its floor, or far worse than at the gate',
  },
  inputs_suspicious: { class: 'unknown', means: 'requests look as if somebody probes the model' },
  service_degraded: { class: 'infrastructure', means: 'latency or error rate is past its limit' },

  // GitHub
  bot_settings: { class: 'infrastructure', means: 'the bot lacks a setting, or one is unsafe' },
  inbox_unavailable: { class: 'infrastructure', means: 'the inbox of the bot cannot be opened' },
  github_missing: { class: 'unknown', means: 'GitHub knows nothing there, or does not show it' },
  github_denied: { class: 'infrastructure', means: 'GitHub does not permit this to the app or the job' },
  github_refused: { class: 'unknown', means: 'GitHub refuses a change in the state that things are in' },
  github_unavailable: {
    class: 'infrastructure',
    means: 'GitHub does not answer, or asks for fewer requests',
  },
  dispatch_unsettled: {
    class: 'infrastructure',
    means: 'it is not known yet whether GitHub has started the run that it was asked for',
  },
  github_too_large: { class: 'unknown', means: 'a file or list on GitHub is larger than allowed' },
  github_artifact_refused: {
    class: 'infrastructure',
    means: 'what a workflow run uploaded is not a small plain archive',
  },
} as const satisfies Record<string, { class: FailureClass; means: string }>;

export type Code = keyof typeof codes;
