// The package as a library: everything the command line does, as functions. See docs/library.md.
//
//   import { runExperiment } from 'mtcp';
//   const { report } = await runExperiment('table.yaml', { runs: 'runs' });
//
// `mtcp/registry` and `mtcp/nn` are for those who write components, `mtcp/mlflow` is the client of a tracking server.
import { Ledger, type LedgerOptions } from './ledger/ledger.js';
import { statusOf, type TrialStatus } from './ledger/status.js';
import { openExperiment, type OpenOptions } from './experiment.js';

export { MtcpError, MtcpErrors, type ErrorDetails, type ErrorKind } from '../registry/errors.js';
export { catalog } from '../registry/catalog.js';
export { KINDS, type ComponentEntry, type Kind } from '../registry/component.js';
export type { DatasetInfo, MapData, Sample } from '../registry/contracts/data.js';
export type { MetricInfo } from '../registry/contracts/learning.js';
export type { Task, TaskKind } from '../registry/contracts/tasks.js';

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
  type Printed,
  type ReportConfig,
  type Trial,
  type TrialConfig,
} from './config/index.js';
export { openExperiment, type OpenOptions } from './experiment.js';
export { inspect, type NetworkSize } from './training/inspect.js';

// Running, and what became of it
export { planJobs, runExperiment, type RunEvent, type RunOptions, type RunOutcome } from './run.js';
export { readEvents, courseOf, type LoggedEvent, type TrialEvent } from './ledger/events.js';
export { readSteps, type StepRecord } from './ledger/steps.js';
export { Ledger, type Claim, type Entry, type LedgerOptions } from './ledger/ledger.js';
export { Lease, ownerOf, type LeaseOptions, type Owner, type Ownership, type Probe } from './ledger/lease.js';
export { RunFolder, STATES, type TrialResult, type TrialState } from './ledger/run-folder.js';
export type { TrialStatus } from './ledger/status.js';

// Jobs on a cluster
export { workOn, type JobOptions } from './launchers/job.js';
export { Jobs, type TrialJob } from './launchers/jobs.js';
export { jobStatusOf, type JobStatus } from './launchers/status.js';
export type { BatchPlan, JobEvent } from './launchers/submit.js';

// Reports and pictures
export { reportExperiment, type ExperimentReport, type ReportOptions } from './report.js';
export type { Checked } from './reporting/expect.js';
export type { MeasuredRow, RowResult } from './reporting/measure.js';
export type { TableEvent } from './reporting/report.js';
export {
  deltaM,
  pairedDifference,
  spreadOf,
  type PairedDifference,
  type Spread,
} from './reporting/statistics.js';
export { curves, type CurveOptions, type CurvePoint } from './reporting/plots/curves.js';
export { draw, drawPng, drawSvg, type DrawOptions, type Plot } from './reporting/plots/draw.js';

// Trained networks
export { predict, type PredictedFile, type Predictions, type PredictOptions } from './inference/predict.js';
export { Predictor, type PredictorOptions } from './inference/predictor.js';
export { exportOnnx, type OnnxExported, type OnnxExportOptions } from './inference/export.js';
export { exportWeights, type Exported, type ExportOptions } from './weights/export.js';
export { importWeights, type Imported } from './weights/import.js';
export {
  forward,
  listFeatures,
  type Computed,
  type Feature,
  type ForwardOptions,
} from './compare/forward.js';
export { grad, type GradOptions, type Gradients } from './compare/grad.js';

// Where time goes
export { profileTrial, type Profile, type ProfileOptions } from './profiling/profile.js';
export { flatten, type ModuleCost } from './profiling/tree.js';

/** What became of each trial of an experiment. */
export function statusOfExperiment(
  file: string,
  { runs, ledger, ...options }: OpenOptions & { runs: string; ledger?: LedgerOptions },
): TrialStatus[] {
  return statusOf(new Ledger(runs, openExperiment(file, options).trials, ledger));
}
