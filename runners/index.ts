// The package as a library: everything the command line does, as functions. See docs/library.md.
//
//   import { runExperiment } from 'mtcp';
//   const { report } = await runExperiment('table.yaml', { runs: 'runs' });
//
// `mtcp/registry` and `mtcp/nn` are for those who write components, `mtcp/mlflow` is the client of a tracking server.
import { Ledger, type LedgerOptions } from './store/ledger/ledger.js';
import { statusOf, type TrialStatus } from './store/ledger/status.js';
import { openExperiment, type OpenOptions } from './config/open.js';

export { MtcpError, MtcpErrors, type ErrorDetails, type ErrorKind } from '../registry/errors.js';
export { catalog } from '../registry/catalog.js';
export { KINDS, type ComponentEntry, type Kind } from '../registry/entry.js';
export type { DatasetInfo, MapData, Sample } from '../registry/contracts/data.js';
export type { MetricInfo } from '../registry/contracts/learning.js';
export type { TaskKind } from '../registry/contracts/task-kind.js';
export type { Task } from '../registry/contracts/tasks.js';

// Experiment files
export {
  differences,
  formatErrors,
  validateFiles,
  writeResolved,
  type Difference,
  type Experiment,
  type Expectation,
  type LoadOptions,
  type LatexConfig,
  type Printed,
  type ReportConfig,
  type TrialSpec,
  type TrialConfig,
} from './config/index.js';
export { openExperiment, type OpenOptions } from './config/open.js';
export { inspect, type NetworkSize } from './training/inspect.js';

// Running, and the results
export { runExperiment } from './app/run.js';
export { planJobs } from './app/plan-jobs.js';
export type { RunEvent, RunOptions, RunOutcome } from './app/run-options.js';
export { readEvents, courseOf, type LoggedEvent, type TrialEvent } from './store/ledger/events.js';
export { readSteps, type StepRecord } from './store/ledger/steps.js';
export { Ledger, type Claim, type LedgerTrial, type LedgerOptions } from './store/ledger/ledger.js';
export { Lease, ownerOf, type LeaseOptions, type Ownership } from './store/ledger/lease.js';
export type { Owner, Probe } from './store/ledger/owner.js';
export { RunFolder, STATES, type TrialResult, type TrialState } from './store/ledger/run-folder.js';
export type { TrialStatus } from './store/ledger/status.js';

// Jobs on a cluster
export { workOn, type JobOptions } from './launching/job.js';
export { Jobs, type TrialJob } from './launching/jobs.js';
export { jobStatusOf, type JobStatus } from './launching/status.js';
export type { BatchPlan } from './launching/plan-batch.js';
export type { JobEvent } from './launching/batch-context.js';

// Reports and pictures
export { reportExperiment, type ExperimentReport, type ReportOptions } from './app/report.js';
export type { Checked } from './reporting/expect.js';
export type { MeasuredRow } from './reporting/measure.js';
export type { RowResult } from './reporting/row-result.js';
export type { TableEvent } from './reporting/report.js';
export {
  deltaM,
  pairedDifference,
  spreadOf,
  type PairedDifference,
  type Spread,
} from './reporting/statistics.js';
export { curves, type CurveOptions, type CurvePoint } from './reporting/plots/curves.js';
export { draw, drawPng, drawSvg, type DrawOptions, type Plot } from './drawing/draw.js';

// Trained networks
export { predict, type PredictedFile, type Predictions, type PredictOptions } from './inference/predict.js';
export { Predictor, type PredictorOptions } from './inference/predictor.js';
export { exportOnnx, type OnnxExported, type OnnxExportOptions } from './inference/export.js';
export { exportPython, type PythonExported } from './inference/python-folder.js';
export type { ModelCard } from './inference/card.js';
export { makeDemo, type Demo, type DemoOptions } from './inference/demo/folder.js';
export { exportWeights, type Exported, type ExportOptions } from './app/weights/export.js';
export { importWeights, type Imported } from './app/weights/import.js';
export {
  forward,
  listFeatures,
  type Computed,
  type Feature,
  type ForwardOptions,
} from './app/compare/forward.js';
export { grad, type GradOptions, type Gradients } from './app/compare/grad.js';

// Where time goes
export { profileTrial, type Profile, type ProfileOptions } from './app/profiling/profile.js';
export { flatten, type ModuleCost } from './app/profiling/tree.js';

/** What became of each trial of an experiment. */
export function statusOfExperiment(
  file: string,
  { runs, ledger, ...options }: OpenOptions & { runs: string; ledger?: LedgerOptions },
): TrialStatus[] {
  return statusOf(new Ledger(runs, openExperiment(file, options).trials, ledger));
}
