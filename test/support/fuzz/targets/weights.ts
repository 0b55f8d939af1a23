// Files of weights, ours and those of others.
import { dirname, join } from 'node:path';
import { wholeWeights, writeBest } from '../../../../runners/store/checkpoint.js';
import { readState } from '../../../../runners/store/state-file.js';
import {
  readSafetensors,
  SafetensorsFile,
  writeSafetensors,
} from '../../../../runners/support/safetensors.js';
import { WeightsSource } from '../../../../runners/support/weights-source.js';
import { json, type Targets } from '../target.js';

const tensors = new Map([
  ['a.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ['a.bias', { dtype: 'float32', shape: [3], data: Float32Array.of(7, 8, 9) }],
  ['count', { dtype: 'int32', shape: [], data: Int32Array.of(1) }],
] as const);

const plain = (path: string) =>
  Object.fromEntries([...readSafetensors(path).tensors].map(([name, { data }]) => [name, [...data]]));

const best = (folder: string): string => {
  writeBest(folder, { entries: () => tensors }, { epoch: 3, score: 0.5, metrics: { 'depth.RMSE': 1.25 } });
  return join(folder, 'best');
};

const readBest = (path: string) => [readState(dirname(path)).state, plain(wholeWeights(dirname(path)))];

const shard = (folder: string, name: string, part: string): string => {
  const path = join(folder, name);
  writeSafetensors(path, new Map([...tensors].filter(([key]) => key.startsWith(part))), { format: 'pt' });
  return path;
};

const readSource = (path: string) => {
  const source = new WeightsSource(dirname(path));
  try {
    source.verify();
    return [[...source.tensors.keys()], source.settings, source.stripped];
  } finally {
    source.close();
  }
};

const hub = (folder: string): void => {
  shard(folder, 'model-1.safetensors', 'a');
  shard(folder, 'model-2.safetensors', 'count');
  json(join(folder, 'model.safetensors.index.json'), {
    metadata: { total_size: 40 },
    weight_map: {
      'a.weight': 'model-1.safetensors',
      'a.bias': 'model-1.safetensors',
      count: 'model-2.safetensors',
    },
  });
  json(join(folder, 'config.json'), { num_attention_heads: 4, model_type: 'mask2former' });
};

export const WEIGHTS: Targets = {
  'a safetensors file': {
    make: (folder) => shard(folder, 'x.safetensors', ''),
    read(path) {
      const file = new SafetensorsFile(path);
      try {
        file.verify();
        return [...file.tensors.keys()].map((name) => file.read(name).data.length);
      } finally {
        file.close();
      }
    },
  },
  'weights of a checkpoint': {
    make: (folder) => join(best(folder), 'weights.safetensors'),
    read: readBest,
    exact: true,
  },
  'the state of a checkpoint': {
    make: (folder) => join(best(folder), 'state.json'),
    read: readBest,
    exact: true,
  },
  'a shard': { make: (folder) => (hub(folder), join(folder, 'model-1.safetensors')), read: readSource },
  'an index of shards': {
    make: (folder) => (hub(folder), join(folder, 'model.safetensors.index.json')),
    read: readSource,
  },
  'a config.json': { make: (folder) => (hub(folder), join(folder, 'config.json')), read: readSource },
};
