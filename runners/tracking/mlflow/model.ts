// The trained network of a trial as an MLflow 3 logged model: an MLmodel file with the signature, and the network in
// ONNX form with its weights inside, so that Python loads it with mlflow.onnx.load_model.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { LoggedEvent } from '../../store/ledger/events.js';
import type { TrialResult } from '../../store/ledger/run-folder.js';
import type { LoggedModel, Metric } from './client/index.js';
import type { OnnxExported } from '../../inference/export.js';
import { LIMITS, shorten } from './client/limits.js';
import { configEntities, datasetInputs, tag } from './entities.js';
import type { Invocation } from './invocation.js';
import type { RemoteRun, RunState } from './remote-run.js';

export interface ModelState {
  model_id: string | null;
  /** What has been done for it. */
  done: ('uploaded' | 'ready' | 'linked' | 'measured' | 'registered')[];
}

type ModelRun = RemoteRun<RunState & { model: ModelState | null }>;
type Started = LoggedEvent & { event: 'started' };

const MODEL_FILE = 'model.onnx';

interface Finished {
  /** Of the trial. */
  folder: string;
  invocation: Invocation;
  started: Started;
  /** As resolved. */
  config: Readonly<Record<string, unknown>>;
  result: TrialResult;
  metrics: readonly Metric[];
}

/** Logs the model of a finished trial, from wherever an earlier try was left. */
export async function logModel(
  run: ModelRun,
  { folder, invocation, started, config, result, metrics }: Finished,
): Promise<void> {
  const { model: wanted, register } = invocation.options;
  if (!wanted && register === null) return;
  await run.part('model', async () => {
    const { client } = run.target;
    const state = (run.state.model ??= { model_id: null, done: [] });
    const once = async (what: ModelState['done'][number], work: () => Promise<void>) => {
      if (state.done.includes(what)) return;
      await work();
      state.done.push(what);
      run.save();
    };
    const file = join(run.folder, MODEL_FILE);
    // The engine is loaded only here: most of what a tracker does needs none of it.
    const exported = state.done.includes('uploaded')
      ? undefined
      : await (await import('../../inference/export.js')).exportOnnx({ folder, out: file });
    const model = await ensureModel(run, state, started, config);
    const { model_id } = model.info;
    if (exported)
      await once('uploaded', async () => {
        const artifacts = client.artifacts(model.info);
        await artifacts.putFile(MODEL_FILE, file);
        rmSync(file);
        await artifacts.putText('requirements.txt', 'mlflow\nonnx\nonnxruntime\n');
        await artifacts.putText('MLmodel', mlmodel(exported, model, run.info.run_id));
      });
    await once('ready', async () => void (await client.finalizeLoggedModel(model_id, 'READY')));
    await once('linked', async () => {
      const { outputs } = await client.run(run.info.run_id);
      if (!outputs?.model_outputs?.some((other) => other.model_id === model_id))
        await client.logOutputs(run.info.run_id, [{ model_id, step: result.steps }]);
    });
    const [, { dataset }] = datasetInputs(started, config);
    const measuredOn = { dataset_name: dataset.name, dataset_digest: dataset.digest };
    const tasks = new Set(Object.keys(result.metrics).map((key) => key.split('.')[0]));
    await once('measured', () =>
      client.logBatch(run.info.run_id, {
        metrics: metrics.map((metric) => ({
          ...metric,
          model_id,
          ...(tasks.has(metric.key.split('/')[1]) && measuredOn),
        })),
      }),
    );
    if (register !== null)
      await once('registered', async () => void (await client.ensureModelVersion(register, model)));
  });
}

/** Known, found under the run's name, or made. */
async function ensureModel(
  run: ModelRun,
  state: ModelState,
  started: Started,
  config: Finished['config'],
): Promise<LoggedModel> {
  const { client } = run.target;
  const { run_id, experiment_id } = run.info;
  if (state.model_id !== null) return client.loggedModel(state.model_id);
  const [known, ...doubles] = await client.searchLoggedModels([experiment_id], `source_run_id = '${run_id}'`);
  for (const { info } of doubles) await client.deleteLoggedModel(info.model_id);
  const model =
    known ??
    (await client.createLoggedModel({
      experiment_id,
      name: modelName(started.row),
      model_type: 'onnx',
      source_run_id: run_id,
      params: configEntities(config).params.map(({ key, value }) => ({
        key,
        value: shorten(value, LIMITS.modelParam),
      })),
      tags: [
        tag('mtcp.row', started.row),
        tag('mtcp.seed', String(started.seed)),
        tag('mtcp.config_hash', started.hash),
      ],
    }));
  state.model_id = model.info.model_id;
  run.save();
  return model;
}

/** MLflow allows no / : . % " ' in the name of a model. */
const modelName = (row: string): string => row.replace(/[/:.%"']+/g, '_') || 'model';

function mlmodel({ input, outputs, bytes }: OnnxExported, { info }: LoggedModel, run_id: string): string {
  const signature = (tensors: readonly { name: string; dtype: string; shape: (number | 'batch')[] }[]) =>
    JSON.stringify(
      tensors.map(({ name, dtype, shape }) => ({
        name,
        type: 'tensor',
        'tensor-spec': { dtype, shape: shape.map((n) => (n === 'batch' ? -1 : n)) },
      })),
    );
  return dump({
    artifact_path: info.artifact_uri,
    flavors: {
      onnx: {
        code: null,
        data: MODEL_FILE,
        onnx_version: '1.16.0',
        providers: ['CUDAExecutionProvider', 'CPUExecutionProvider'],
      },
      python_function: {
        data: MODEL_FILE,
        env: { virtualenv: 'requirements.txt' },
        loader_module: 'mlflow.onnx',
        python_version: '3.11.0',
      },
    },
    model_id: info.model_id,
    model_size_bytes: bytes,
    model_uuid: info.model_id,
    run_id,
    signature: {
      inputs: signature([{ ...input, dtype: 'float32' }]),
      outputs: signature(outputs),
      params: null,
    },
    utc_time_created: new Date().toISOString().replace('T', ' ').replace('Z', ''),
  });
}
