// Options of the `tracking` section of type mlflow.
import { defineOptions } from '../../../registry/options.js';

export const OPTIONS = defineOptions({
  uri: {
    description:
      'Address of the tracking server, without credentials (those come from MLFLOW_TRACKING_USERNAME, _PASSWORD or _TOKEN). MLFLOW_TRACKING_URI wins. null: only that variable says.',
    type: ['string', 'null'],
    default: null,
  },
  experiment: {
    description:
      "Name of the MLflow experiment. MLFLOW_EXPERIMENT_NAME wins. null: the experiment's own name.",
    type: ['string', 'null'],
    minLength: 1,
    default: null,
  },
  steps: {
    description: 'Losses are logged every so many optimizer steps; 0 logs them by epoch only.',
    type: 'integer',
    minimum: 0,
    default: 1,
  },
  system: {
    description: 'Seconds between samples of the load of the machine; null takes none.',
    type: ['number', 'null'],
    exclusiveMinimum: 0,
    default: 10,
  },
  checkpoints: {
    description:
      'Which checkpoints are uploaded: none, or those that are left when the trial is done (see train.checkpoint.keep).',
    enum: ['none', 'kept'],
    default: 'none',
  },
  model: {
    description: 'Log the trained network of each finished trial as an MLflow model in ONNX form.',
    type: 'boolean',
    default: true,
  },
  register: {
    description: 'Name under which the models are registered, each as a new version. null: not registered.',
    type: ['string', 'null'],
    minLength: 1,
    default: null,
  },
  patience: {
    description:
      'Seconds after which, at the end of a run, it no longer waits for a server that takes nothing more.',
    type: 'number',
    minimum: 0,
    default: 15,
  },
});

/** The options without what is only about where the server is. */
export interface LoggingOptions {
  steps: number;
  system: number | null;
  checkpoints: 'none' | 'kept';
  model: boolean;
  register: string | null;
}
