// A trial's `weights` section: the file is examined before anything is trained, and read once the trial's arrays
// exist.
import type { ParameterTable } from '../../../modules/nn/scope.js';
import { MtcpError } from '../../../registry/errors.js';
import type { TrialSpec } from '../../config/index.js';
import type { HostTensor } from '../../support/host-tensor.js';
import type { RunFolder } from '../ledger/run-folder.js';
import { fitBackbone, readFitted, requireFit, shapesOf, type Fit, type Shapes, type Started } from './fit.js';
import { loadRows } from './rows.js';
import { digestOf, WeightsSource } from '../../support/weights-source.js';
import type { TensorFile } from '../../support/tensor-file.js';
import { backboneNames, splitTensors } from './split.js';
import { checkpointsOf, requireTold } from './told.js';

const hintOf = (trial: TrialSpec): string => {
  const { format } = checkpointsOf(trial.config.model.backbone);
  const example = format ? `, for example of ${format.example},` : '';
  return `\`mtcp weights import SOURCE -o FILE\` makes it from a checkpoint${example} that you have; \`weights.backbone=null\` trains from scratch`;
};

const whereOf = ({ row }: TrialSpec): string => `row "${row}", weights.backbone`;

/** @throws MtcpError `weights` if the trial starts from a file that is not there, cannot be read or is another one */
export function checkStart(trial: TrialSpec): void {
  const { backbone, digest } = trial.config.weights;
  if (backbone === null) return;
  try {
    const found = digestOf(backbone);
    if (found === undefined)
      throw new MtcpError('weights', `there are no weights at ${backbone}`, { hint: hintOf(trial) });
    if (found !== digest)
      throw new MtcpError('weights', `${backbone} is another file than the trial names`, {
        hint: `its digest is ${found}, weights.digest says ${digest}`,
      });
    new WeightsSource(backbone).close();
  } catch (error) {
    if (!MtcpError.is(error) || error.where) throw error;
    throw new MtcpError(error.kind, error.message, { where: whereOf(trial), hint: error.hint, cause: error });
  }
}

/** The parameters and buffers of a model, by name. */
export const shapesIn = ({ parameters, buffers }: ParameterTable): Shapes =>
  shapesOf(new Map<string, { shape: number[] }>([...parameters, ...buffers]));

/**
 * Fills arrays with what the trial starts from: the backbone's from its file, then what other rows trained.
 * @param folderOf where a trial lies that this one depends on
 * @throws MtcpError `weights` if a name or a shape does not fit; no array is touched by what does not fit
 */
export function loadStart(
  trial: TrialSpec,
  table: ParameterTable,
  array: (name: string) => HostTensor['data'],
  folderOf: (source: TrialSpec) => RunFolder,
): Started[] {
  const rows = () => loadRows(trial, folderOf, shapesIn(table), array);
  const { backbone } = trial.config.weights;
  return [...(backbone === null ? [] : [loadFile(trial, backbone, table, array)]), ...rows()];
}

function loadFile(
  trial: TrialSpec,
  backbone: string,
  table: ParameterTable,
  array: (name: string) => HostTensor['data'],
): Started {
  return withFit(trial, backbone, table, (file, fit, { stripped }) => ({
    source: stripped.length > 0 ? `${backbone} (names without ${stripped.join(', ')})` : backbone,
    ...readFitted(file, fit, array),
  }));
}

/** @throws MtcpError `weights` if the file that the trial starts from does not fit its backbone */
export function fitFile(trial: TrialSpec, table: ParameterTable): void {
  const { backbone } = trial.config.weights;
  if (backbone !== null) withFit(trial, backbone, table, () => {});
}

function withFit<T>(
  trial: TrialSpec,
  backbone: string,
  table: ParameterTable,
  use: (file: TensorFile, fit: Fit, source: WeightsSource) => T,
): T {
  const source = new WeightsSource(backbone);
  try {
    source.verify();
    const { file, fit } = fitTrial(trial, source, table);
    requireFit(fit, backbone, whereOf(trial));
    return use(file, fit, source);
  } finally {
    source.close();
  }
}

/**
 * What of the source goes where in the trial's backbone; `file` has the tensors under the names that `fit` uses.
 * @throws MtcpError `weights` if the file says that it belongs to another model
 */
export function fitTrial(
  trial: TrialSpec,
  source: WeightsSource,
  table: ParameterTable,
): { file: TensorFile; fit: Fit } {
  const { backbone, format } = checkpointsOf(trial.config.model.backbone);
  requireTold(source, backbone, format, whereOf(trial));
  const file = splitTensors(source, format, backboneNames(source));
  const tasks = Object.keys(trial.config.tasks);
  return { file, fit: fitBackbone(shapesOf(file.tensors), shapesIn(table), format, tasks) };
}
