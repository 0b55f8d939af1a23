// SGD, Adam and AdamW against torch.optim, over steps with a falling rate.
import '../../../modules/index.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '../../../registry/tf.js';
import { createTrialContainer } from '../../../registry/container.js';
import { namedValues } from '../../reference/fixtures.js';
import { evaluate, expectClose, recordingEngine, type Arrays } from '../../support/oracle.js';

const FILE = join(import.meta.dirname, '../../../../test/reference/fixtures/systems/optimizers.json');

interface Case {
  options: {
    lr: number;
    momentum?: number;
    nesterov?: boolean;
    betas?: number[];
    eps?: number;
    weight_decay?: number;
  };
  parameters: number[][];
}

describe('optimizers against PyTorch', () => {
  const cases = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Case>;
  for (const [name, { options, parameters }] of Object.entries(cases))
    it(name, async () => {
      const { lr, eps, ...same } = options;
      const slot = {
        type: name.split(' ')[0],
        rate: lr,
        ...same,
        ...(eps !== undefined && { epsilon: eps }),
      };
      const optimizer = createTrialContainer([]).create('optimizer', slot);
      const size = parameters[0].length;
      const gradients = namedValues('gradient', parameters.length * size, 0, 1);
      const vector = (data: ArrayLike<number>) => ({ shape: [size], data });
      const state: Arrays = { parameter: vector(namedValues('parameter', size, 0, 1)) };
      for (const slotName of optimizer.slots) state[`slot/${slotName}`] = vector(new Float32Array(size));
      for (const [i, expected] of parameters.entries()) {
        const scalars = optimizer.scalars(i + 1, lr * (1 - i / parameters.length));
        const inputs: Arrays = { ...state, gradient: vector(gradients.subarray(i * size, (i + 1) * size)) };
        for (const [key, value] of Object.entries(scalars)) inputs[key] = { shape: [], data: [value] };
        const after = await evaluate(recordingEngine, inputs, (given) => {
          const { parameter, slots } = optimizer.update(
            given.parameter as tf.Tensor1D,
            given.gradient as tf.Tensor1D,
            Object.fromEntries(optimizer.slots.map((key) => [key, given[`slot/${key}`] as tf.Tensor1D])),
            Object.fromEntries(Object.keys(scalars).map((key) => [key, given[key] as tf.Scalar])),
          );
          const named = Object.entries(slots).map(([key, value]) => [`slot/${key}`, value] as const);
          return {
            new: parameter,
            ...Object.fromEntries(named.map(([key, value]) => [`new/${key}`, value])),
          };
        });
        state.parameter = vector(after.new.data);
        for (const slotName of optimizer.slots)
          state[`slot/${slotName}`] = vector(after[`new/slot/${slotName}`].data);
        expectClose(after.new.data, expected, 2e-6, `${name}, step ${i + 1}`);
      }
    });
});
