// Every declared operation: it has a definition, engines have the kernels that its declaration asks of them, and what
// is recorded agrees with its composite on tfjs cpu, gradients included. An operation without an example here does not
// compile.
import type * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import '../../../modules/nn/index.js';
import '../../../modules/nn/binary.js';
import '../../../modules/nn/pooling.js';
import '../../../modules/losses/cross-entropy.js';
import { definedOperations } from '../../../modules/nn/ops/op.js';
import {
  OPERATIONS,
  type AttributesOf,
  type ConvAttributes,
  type InputsOf,
  type Operation,
} from '../../../registry/contracts/operations.js';
import { loweredOperations } from '../../../runners/engine/kernels/register.js';
import { expectSame, integers, noise, type Arrays } from '../../support/oracle.js';

type Examples = {
  [K in keyof typeof OPERATIONS]: {
    inputs: InputsOf<(typeof OPERATIONS)[K], Arrays[string]>;
    attributes: AttributesOf<(typeof OPERATIONS)[K]>;
  };
};

const CONVOLUTION: ConvAttributes = {
  stride: [2, 2],
  padding: [1, 1, 1, 1],
  dilation: [1, 1],
  groups: 1,
};
const [gamma, beta] = [noise([6], 'gamma'), noise([6], 'beta')];

/** The same numbers, all of this sign. */
const signed = (x: Arrays[string], sign: number) => ({
  ...x,
  data: Float32Array.from(x.data, (value) => sign * Math.abs(value)),
});

const examples: Examples = {
  After: { inputs: { x: noise([3, 5]), first: noise([7], 'first') }, attributes: {} },
  BandedProduct: {
    inputs: { x: noise([2, 3, 5]) },
    attributes: { matrix: Float32Array.of(1, 0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5, 0, 0, 1), to: 4 },
  },
  BatchNorm: { inputs: { x: noise([2, 3, 4, 6]), gamma, beta }, attributes: { epsilon: 1e-5 } },
  BinaryActivation: { inputs: { x: noise([3, 7]) }, attributes: {} },
  BinaryWeight: { inputs: { w: noise([4, 3, 3, 3]) }, attributes: {} },
  Conv2D: { inputs: { x: noise([2, 7, 9, 3]), w: noise([4, 3, 3, 3], 'w') }, attributes: CONVOLUTION },
  Conv2DFilterGradient: {
    inputs: { dy: noise([2, 4, 5, 4], 'dy'), x: noise([2, 7, 9, 3]) },
    attributes: { ...CONVOLUTION, filterShape: [4, 3, 3, 3] },
  },
  Conv2DInputGradient: {
    inputs: { dy: noise([2, 4, 5, 4], 'dy'), w: noise([4, 3, 3, 3], 'w') },
    attributes: { ...CONVOLUTION, inputShape: [2, 7, 9, 3] },
  },
  ConvTranspose2D: {
    inputs: { x: noise([2, 4, 5, 4]), w: noise([4, 3, 3, 3], 'w') },
    attributes: { ...CONVOLUTION, outputShape: [2, 7, 9, 3] },
  },
  CrossEntropy: { inputs: { logits: noise([11, 5]), labels: integers([11], 5) }, attributes: {} },
  CrossEntropyGradient: {
    inputs: { dy: noise([11], 'dy'), logProbabilities: noise([11, 5]), labels: integers([11], 5) },
    attributes: {},
  },
  DeformableSampling: {
    inputs: {
      values: noise([2, 16, 4], 'values'),
      positions: noise([2, 5, 2, 2, 2], 'places', 2),
      weights: noise([2, 5, 2, 2], 'weights'),
    },
    attributes: {
      heads: 2,
      points: 1,
      levels: [
        [3, 4],
        [2, 2],
      ],
      recompute: true,
    },
  },
  Detach: { inputs: { x: noise([7]) }, attributes: {} },
  FeedForward: {
    inputs: {
      x: noise([5, 3]),
      w1: noise([8, 3], 'w1'),
      b1: noise([8], 'b1'),
      w2: noise([3, 8], 'w2'),
      b2: noise([3], 'b2'),
    },
    attributes: { activation: 'gelu' },
  },
  Gelu: { inputs: { x: noise([3, 37]) }, attributes: {} },
  LayerNorm: { inputs: { x: noise([3, 5, 6]), gamma, beta }, attributes: { epsilon: 1e-5 } },
  MaxPool: { inputs: { x: noise([2, 5, 6, 3]) }, attributes: { kernel: 3, stride: 2, padding: 1 } },
  RelativePositions: {
    inputs: { table: noise([9, 2]), index: integers([16], 9), offsets: noise([4, 3], 'offsets') },
    attributes: { window: 2 },
  },
  Relu: { inputs: { x: noise([3, 37]) }, attributes: {} },
  RepeatCells: { inputs: { x: noise([2, 3, 4, 5]) }, attributes: { factors: [2, 3] } },
  ScatterShares: {
    inputs: { shares: noise([6, 7, 2], 's'), rows: noise([6, 7, 40], 'r'), index: integers([6, 7, 2], 5) },
    attributes: { count: 5 },
  },
  SelectiveScan: {
    inputs: {
      u: noise([3, 2, 11, 5], 'u'),
      delta: signed(noise([3, 2, 11, 5], 'delta'), 1),
      a: signed(noise([3, 5, 4], 'a'), -1),
      b: noise([3, 2, 11, 4], 'b'),
      c: noise([3, 2, 11, 4], 'c'),
    },
    attributes: { steps: 4, block: 4 },
  },
  SoftmaxAffinity: {
    inputs: { q: noise([2, 13, 4], 'q'), k: noise([2, 11, 4], 'k'), v: noise([2, 11, 3], 'v') },
    attributes: { tile: 5 },
  },
  Summary: { inputs: { x: noise([2, 3, 5, 7]) }, attributes: { axes: [1, 2] } },
};

const declared: [string, Operation][] = Object.entries(OPERATIONS);

describe('declared operations', () => {
  it('are all defined, once each', () => {
    expect([...definedOperations.keys()].map(({ name }) => name).toSorted()).to.deep.equal(
      declared.map(([, { name }]) => name).toSorted(),
    );
  });

  it('have the kernels that an engine which records graphs must have', () => {
    const missing = declared.filter(([, one]) => one.kernel === 'required' && !loweredOperations.has(one));
    expect(missing.map(([key]) => key)).to.deep.equal([]);
  });

  for (const [key, operation] of declared)
    it(`${key}: recorded as computed, in values and gradients`, () => {
      const { inputs, attributes } = examples[key as keyof Examples] as {
        inputs: Arrays;
        attributes: object;
      };
      expect(Object.keys(inputs)).to.deep.equal(Object.keys(operation.inputs));
      return expectSame(
        inputs,
        (tensors: Record<string, tf.Tensor>) => {
          const outputs = definedOperations.get(operation)!(tensors, attributes);
          expect(outputs.length).to.equal(operation.outputs.length);
          return outputs;
        },
        3e-5,
      );
    });
});
