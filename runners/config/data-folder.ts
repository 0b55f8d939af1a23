// `--data DIR` replaces the path that a trial's data set reads first. The location of data is not part of a trial's
// identity.
import { resolve } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import type { Schemas } from './schemas.js';
import type { TrialConfig } from './trial.js';

/**
 * The configuration with its data at `path`.
 * @param reading profiles of the experiment under which all rows read data from a folder
 * @throws MtcpError `usage` if the data set makes its own images: nothing is written into a folder given as data
 */
export function withDataAt(
  path: string | undefined,
  config: TrialConfig,
  schemas: Schemas,
  reading: () => { name: string; type: string }[],
): TrialConfig {
  if (path === undefined) return config;
  const { type } = config.data;
  const option = schemas.readPath('dataset', type);
  if (option !== undefined) return { ...config, data: { ...config.data, [option]: resolve(path) } };
  const profiles = reading().map(({ name, type }) => `--profile ${name} (${type})`);
  throw new MtcpError('usage', `data set "${type}" reads no folder: it renders its own images`, {
    where: `argument "--data ${path}"`,
    hint:
      profiles.length > 0
        ? `to train on this folder: ${profiles.join(' or ')}`
        : 'to train on this folder, give the file a data set that reads one, such as data={ type: nyud-v2, root: DIR }',
  });
}
