// MLflow over REST, usable on its own:
//
//   import { MlflowClient } from 'mtcp/mlflow';
//   const client = new MlflowClient({ uri: 'http://localhost:5000' });
//   const { experiment_id } = await client.ensureExperiment('nyud/table3');
//   const { info } = await client.createRun({ experiment_id, run_name: 'MT-CP' });
//   await client.logBatch(info.run_id, { metrics: [{ key: 'loss', value: 0.5, step: 1, timestamp: Date.now() }] });
//   await client.artifacts(info).putFile('report/table.md', 'table.md');
//   await client.updateRun(info.run_id, { status: 'FINISHED', end_time: Date.now() });
export { Artifacts, type UploadOptions } from './artifacts.js';
export { MlflowClient, type ClientOptions, type NewModel, type NewRun } from './client.js';
export { connectionFromEnv, type Connection } from './connection.js';
export { existsAlready, isMissing, MlflowError, type MlflowFault } from './errors.js';
export { cleanKey, LIMITS, shorten } from './limits.js';
export type { TransportOptions } from './transport.js';
export type * from './types.js';
