// A client of MLflow's tracking server. Every method is one endpoint (or several requests to it where the server
// limits their size) and throws MlflowError. Nothing here knows about mtcp's runs.
import type { Answer } from './answers.js';
import { Artifacts, type UploadOptions } from './artifacts.js';
import { connectionFromEnv, type Connection } from './connection.js';
import { existsAlready, isMissing, MlflowError } from './errors.js';
import { decodeNumber, encodeMetric, splitBatch } from './limits.js';
import { Transport, type Request, type TransportOptions } from './transport.js';
import type {
  Batch,
  DatasetInput,
  Experiment,
  LoggedModel,
  Metric,
  ModelVersion,
  Run,
  RunInfo,
  RunStatus,
  Tag,
} from './types.js';

export interface ClientOptions extends TransportOptions {
  upload?: UploadOptions;
}

export interface NewRun {
  experiment_id: string;
  run_name?: string;
  start_time?: number;
  user_id?: string;
  tags?: Tag[];
}

export interface NewModel {
  experiment_id: string;
  name: string;
  model_type?: string;
  source_run_id?: string;
  params?: Tag[];
  tags?: Tag[];
}

const API = '/api/2.0/mlflow/';
const PAGE = 1000;
const MOST_PAGES = 1000;

interface Page {
  next_page_token?: string | null;
}

export class MlflowClient {
  readonly transport: Transport;
  readonly #upload: UploadOptions;

  /** @param connection where the server is; by default what MLFLOW_TRACKING_URI and its kin say */
  constructor(connection: Connection = connectionFromEnv(), { upload = {}, ...options }: ClientOptions = {}) {
    this.transport = new Transport(connection, options);
    this.#upload = upload;
  }

  /** Version of the server. */
  async version(): Promise<string> {
    const text = await this.transport.text({ method: 'GET', path: '/version', repeatable: true });
    return text.trim().slice(0, 100);
  }

  /** Page of a run for people. */
  runUrl({ experiment_id, run_id }: Pick<RunInfo, 'experiment_id' | 'run_id'>): string {
    return `${this.transport.uri}/#/experiments/${experiment_id}/runs/${run_id}`;
  }

  /** Undefined if there is none of this name. */
  async experimentByName(name: string): Promise<Experiment | undefined> {
    try {
      const query = { experiment_name: name };
      return (await this.#get<{ experiment: Experiment }>('experiments/get-by-name', 'experiment', query))
        .experiment;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async experiment(experiment_id: string): Promise<Experiment> {
    const query = { experiment_id };
    return (await this.#get<{ experiment: Experiment }>('experiments/get', 'experiment', query)).experiment;
  }

  /** The experiment of this name, made if there is none. */
  async ensureExperiment(name: string, tags: Tag[] = []): Promise<Experiment> {
    const known = await this.experimentByName(name);
    if (known?.lifecycle_stage === 'deleted')
      throw new MlflowError(
        `the experiment "${name}" was deleted on the server`,
        { passing: false, certain: true },
        {
          where: this.transport.uri,
          hint: `restore it (mlflow experiments restore --experiment-id ${known.experiment_id}) or name another one`,
        },
      );
    if (known) return known;
    try {
      // Made twice it is refused, and then it exists.
      const made = await this.#post<{ experiment_id: string }>(
        'experiments/create',
        { name, tags },
        'created',
      );
      return await this.experiment(made.experiment_id);
    } catch (error) {
      const made = existsAlready(error) ? await this.experimentByName(name) : undefined;
      if (made) return made;
      throw error;
    }
  }

  searchExperiments(filter?: string): Promise<Experiment[]> {
    return this.#pages<Experiment>('experiments/search', 'experiments', { filter });
  }

  async deleteExperiment(experiment_id: string): Promise<void> {
    await this.#post('experiments/delete', { experiment_id });
  }

  /** Done twice it makes two runs, so it is not repeated after a fault that leaves open whether it was done. */
  async createRun(run: NewRun): Promise<Run> {
    return (await this.#post<{ run: Run }>('runs/create', run, 'run', { repeatable: false })).run;
  }

  async run(run_id: string): Promise<Run> {
    const { run } = await this.#get<{ run: Run }>('runs/get', 'run', { run_id });
    run.data ??= {};
    for (const metric of run.data.metrics ?? []) metric.value = decodeNumber(metric.value);
    return run;
  }

  async updateRun(
    run_id: string,
    change: { status?: RunStatus; end_time?: number; run_name?: string },
  ): Promise<void> {
    await this.#post('runs/update', { run_id, ...change });
  }

  async deleteRun(run_id: string): Promise<void> {
    await this.#post('runs/delete', { run_id });
  }

  async restoreRun(run_id: string): Promise<void> {
    await this.#post('runs/restore', { run_id });
  }

  /** @param filter in MLflow's language, such as `tags."mtcp.row" = 'MT-CP'` */
  searchRuns(experiment_ids: readonly string[], filter?: string): Promise<Run[]> {
    return this.#pages<Run>('runs/search', 'runs', { experiment_ids, filter });
  }

  /**
   * Logs metrics, params and tags in as few requests as the limits allow. A param is written once: the same value
   * again is fine, another one is refused. SQL stores keep one of equal metrics (key, step, time and value), so
   * that repeating a batch changes nothing.
   */
  async logBatch(run_id: string, batch: Batch): Promise<void> {
    for (const { metrics, params, tags } of splitBatch(batch))
      await this.#post('runs/log-batch', { run_id, metrics: metrics.map(encodeMetric), params, tags });
  }

  async setTag(run_id: string, key: string, value: string): Promise<void> {
    await this.#post('runs/set-tag', { run_id, key, value });
  }

  async logInputs(run_id: string, datasets: readonly DatasetInput[]): Promise<void> {
    await this.#post('runs/log-inputs', { run_id, datasets });
  }

  /** Done twice it lists a model twice. */
  async logOutputs(run_id: string, models: readonly { model_id: string; step: number }[]): Promise<void> {
    await this.#post('runs/outputs', { run_id, models }, 'done', { repeatable: false });
  }

  async metricHistory(run_id: string, metric_key: string): Promise<Metric[]> {
    const query = { run_id, metric_key, max_results: 25_000 };
    const all: Metric[] = [];
    for await (const page of this.#paged((page_token) =>
      this.#get<Page & { metrics?: Metric[] | null }>('metrics/get-history', 'history', {
        ...query,
        page_token,
      }),
    ))
      all.push(...(page.metrics ?? []).map((metric) => ({ ...metric, value: decodeNumber(metric.value) })));
    return all;
  }

  /** Files of a run, or of a logged model. */
  artifacts({ artifact_uri }: { artifact_uri: string }): Artifacts {
    return Artifacts.at(this.transport, artifact_uri, this.#upload);
  }

  /** An MLflow 3 model, pending until it is finalized; see createRun about repeating. */
  async createLoggedModel(model: NewModel): Promise<LoggedModel> {
    return (await this.#post<{ model: LoggedModel }>('logged-models', model, 'model', { repeatable: false }))
      .model;
  }

  async loggedModel(model_id: string): Promise<LoggedModel> {
    return (await this.#get<{ model: LoggedModel }>(`logged-models/${model_id}`, 'model')).model;
  }

  async finalizeLoggedModel(model_id: string, status: 'READY' | 'UPLOAD_FAILED'): Promise<LoggedModel> {
    const json = { model_id, status: `LOGGED_MODEL_${status}` };
    const path = `logged-models/${model_id}`;
    return (
      await this.#call<{ model: LoggedModel }>({ method: 'PATCH', path, json, repeatable: true }, 'model')
    ).model;
  }

  async deleteLoggedModel(model_id: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `logged-models/${model_id}`, repeatable: true }, 'done');
  }

  searchLoggedModels(experiment_ids: readonly string[], filter?: string): Promise<LoggedModel[]> {
    return this.#pages<LoggedModel>('logged-models/search', 'models', { experiment_ids, filter }, 50);
  }

  /** Makes sure that the registry knows the name. */
  async ensureRegisteredModel(name: string): Promise<void> {
    try {
      await this.#post('registered-models/create', { name });
    } catch (error) {
      if (!existsAlready(error)) throw error;
    }
  }

  /** Registers a logged model as the next version of a name; once, however often it is asked. */
  async ensureModelVersion(name: string, { info }: LoggedModel): Promise<ModelVersion> {
    await this.ensureRegisteredModel(name);
    const { model_id, source_run_id: run_id } = info;
    const filter = `name='${name.replaceAll("'", "\\'")}'`;
    const query = { filter, max_results: 200 };
    const { model_versions } = await this.#get<{ model_versions?: ModelVersion[] | null }>(
      'model-versions/search',
      'versions',
      query,
    );
    const source = `models:/${model_id}`;
    // SQL stores keep the source and not the number of the model.
    const known = model_versions?.find(
      (version) => version.source === source || version.model_id === model_id,
    );
    if (known) return known;
    const json = { name, source, run_id, model_id };
    return (
      await this.#post<{ model_version: ModelVersion }>('model-versions/create', json, 'version', {
        repeatable: false,
      })
    ).model_version;
  }

  #get<T>(path: string, answer: Answer, query?: Request['query']): Promise<T> {
    return this.#call<T>({ method: 'GET', path, query, repeatable: true }, answer);
  }

  #post<T>(path: string, json: object, answer: Answer = 'done', { repeatable = true } = {}): Promise<T> {
    return this.#call<T>({ method: 'POST', path, json, repeatable }, answer);
  }

  #call<T>(request: Request, answer: Answer): Promise<T> {
    return this.transport.json<T>({ ...request, path: API + request.path }, answer);
  }

  async #pages<T>(
    path: string,
    field: 'experiments' | 'runs' | 'models',
    query: object,
    size = PAGE,
  ): Promise<T[]> {
    const all: T[] = [];
    for await (const page of this.#paged((page_token) =>
      this.#post<Page & Record<string, unknown>>(path, { ...query, max_results: size, page_token }, field),
    ))
      all.push(...((page[field] as T[] | null | undefined) ?? []));
    return all;
  }

  /**
   * Page after page, to the last one.
   * @throws MlflowError if there is no end to them
   */
  async *#paged<P extends Page>(ask: (page_token: string | undefined) => Promise<P>): AsyncGenerator<P> {
    const seen = new Set<string>();
    for (let token: string | undefined; ;) {
      const page = await ask(token);
      yield page;
      token = page.next_page_token || undefined;
      if (token === undefined) return;
      if (seen.has(token) || seen.size >= MOST_PAGES)
        throw new MlflowError(
          'the server gives pages without an end',
          { passing: false, certain: true },
          { where: this.transport.uri },
        );
      seen.add(token);
    }
  }
}
