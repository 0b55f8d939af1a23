// The part of MLflow's REST API that the client uses, as sent over the network: snake case, int64 as numbers, times
// in milliseconds.

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';

export interface Tag {
  key: string;
  value: string;
}
export type Param = Tag;

export interface Metric {
  key: string;
  /** Not finite ones travel as "NaN", "Infinity" and "-Infinity"; SQL stores keep infinities as +-1.8e308. */
  value: number;
  timestamp: number;
  step: number;
  /** Shows the number with this logged model, and with the data set it was measured on. */
  model_id?: string;
  dataset_name?: string;
  dataset_digest?: string;
}

export interface Experiment {
  experiment_id: string;
  name: string;
  artifact_location: string;
  lifecycle_stage: 'active' | 'deleted';
  tags?: Tag[];
}

export interface RunInfo {
  run_id: string;
  run_name?: string;
  experiment_id: string;
  status: RunStatus;
  start_time: number;
  end_time?: number;
  artifact_uri: string;
  lifecycle_stage: 'active' | 'deleted';
}

export interface Dataset {
  name: string;
  /** At most 36 characters; a data set is known by its name and this. */
  digest: string;
  source_type: string;
  source: string;
  schema?: string;
  profile?: string;
}

export interface DatasetInput {
  tags?: Tag[];
  dataset: Dataset;
}

export interface Run {
  info: RunInfo;
  data: { metrics?: Metric[]; params?: Param[]; tags?: Tag[] };
  inputs?: { dataset_inputs?: DatasetInput[] };
  outputs?: { model_outputs?: { model_id: string; step?: number }[] };
}

export interface FileInfo {
  path: string;
  is_dir: boolean;
  file_size?: number;
}

export interface LoggedModel {
  info: {
    model_id: string;
    experiment_id: string;
    name: string;
    artifact_uri: string;
    status: 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';
    source_run_id?: string;
    tags?: Tag[];
  };
}

export interface ModelVersion {
  name: string;
  version: string;
  source: string;
  run_id?: string;
  model_id?: string;
  status: string;
}

/** What may be logged in one go; the client splits it by the server's limits. */
export interface Batch {
  metrics?: readonly Metric[];
  params?: readonly Param[];
  tags?: readonly Tag[];
}
