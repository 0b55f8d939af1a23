// What the blocks of MTMamba consist of (Lin et al. 2024): maps that are scanned in four directions by a state-space
// model (SS2D of VMamba, Liu et al. 2024). Row by row, column by column, and both from the end; each direction has
// parameters of its own, and the four results are added up.
//
// All maps of a stage that can be scanned at the same time are: one selective scan for all tasks and directions.
import * as tf from '../../registry/tf.js';
import type { Initializer, Scope } from '../../registry/index.js';
import { ones, torchBias, torchWeight, uniform } from './initializers.js';
import { layerNorm } from './layers.js';
import { conv2d } from './ops/convolution.js';
import { selectiveScan } from './ops/selective-scan.js';

export interface StateSpaceOptions {
  /** Numbers in the state of a channel. */
  state: number;
  /** Channels inside the block, over those outside. */
  ratio: number;
  /** Rank of the step sizes; null: a sixteenth of the channels outside. */
  rank: number | null;
}

/**
 * A map to be scanned, [batch, height, width, inner], whose parameters are below `scope`. What says how is `guide`, a map
 * of the same shape; without one, it is the map itself after its convolution.
 */
export interface Scanned {
  scope: Scope;
  map: tf.Tensor4D;
  guide?: tf.Tensor4D;
}

const DIRECTIONS = 4;

/** x sigmoid(x), whatever the shape. */
export function silu<R extends tf.Rank>(x: tf.Tensor<R>): tf.Tensor<R> {
  return x.mul(x.sigmoid());
}

/** Rank of the step sizes of maps of `channels`, [..., channels], outside the block. */
const rankOf = (channels: number, { rank }: StateSpaceOptions) => rank ?? Math.ceil(channels / 16);

/**
 * A depthwise convolution, SiLU and the scan of maps of one shape, [batch, height, width, inner]; the results are
 * normalised.
 * @param channels those outside the block, which the rank of step sizes goes by
 */
export function scanMaps(
  scanned: readonly Scanned[],
  channels: number,
  options: StateSpaceOptions,
): tf.Tensor4D[] {
  const [batch, height, width, inner] = scanned[0].map.shape;
  const [count, length] = [scanned.length, height * width];
  const rank = rankOf(channels, options);
  const { state } = options;
  const sets = count * DIRECTIONS;
  const size = { batch, height, width };
  const stacked = (make: (scope: Scope) => tf.Tensor) => tf.stack(scanned.map(({ scope }) => make(scope)));

  const maps = convolved(scanned);
  const given = scanned.flatMap(({ guide }) => guide ?? []);
  const guides = given.length > 0 ? tf.stack(given) : maps;
  // Projections first, in all directions at once: they are narrower than maps, and less has to be turned.
  const outputs = rank + 2 * state;
  const projection = stacked((scope) =>
    scope
      .param('x_proj_weight', [DIRECTIONS, outputs, inner], torchWeightOfEach)
      .reshape([DIRECTIONS * outputs, inner]),
  );
  const projected = tf
    .matMul(guides.reshape([count, batch * length, inner]), projection, false, true)
    .reshape([count * batch * height, width, DIRECTIONS, outputs]);
  const turned = tf.unstack(projected, 2).map((x, direction) => turn(x, direction, size));
  const [steps, b, c] = tf.split(joinSets(turned, count, batch), [rank, state, state], 3) as tf.Tensor4D[];
  const deltaWeight = stacked((scope) =>
    scope.param('dt_projs_weight', [DIRECTIONS, inner, rank], uniform(rank ** -0.5)),
  ).reshape([sets, inner, rank]);
  const deltaBias = stacked((scope) => scope.param('dt_projs_bias', [DIRECTIONS, inner], stepInit));
  const rawDelta = tf
    .matMul(steps.reshape([sets, batch * length, rank]), deltaWeight, false, true)
    .add(deltaBias.reshape([sets, 1, inner]));
  const a = stacked((scope) => scope.param('A_logs', [DIRECTIONS * inner, state], rateInit)).exp();
  const u = joinSets(
    Array.from({ length: DIRECTIONS }, (_, direction) => turn(maps, direction, size)),
    count,
    batch,
  );
  const y = selectiveScan({
    u,
    delta: tf.softplus(rawDelta).reshape([sets, batch, length, inner]) as tf.Tensor4D,
    a: a.neg().reshape([sets, inner, state]) as tf.Tensor3D,
    b,
    c,
  });
  const skip = stacked((scope) => scope.param('Ds', [DIRECTIONS * inner], ones));
  const all = y.add(u.mul(skip.reshape([sets, 1, 1, inner])));
  const back = tf
    .unstack(all.reshape([count, DIRECTIONS, batch * length, inner]), 1)
    .map((x, direction) => turnBack(x, direction, size));
  const sums = tf.addN(back).reshape([count, batch, height, width, inner]);
  return tf.unstack(sums).map((x, i) => layerNorm(scanned[i].scope.at('out_norm'), x as tf.Tensor4D));
}

interface Size {
  batch: number;
  height: number;
  width: number;
}

/** Direction d of maps, [... height, width, ... channels] in the order of rows, as [maps, length, channels]. */
function turn(x: tf.Tensor, direction: number, { height, width }: Size): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const rows = x.reshape([-1, height, width, channels]);
  const ordered = (direction % 2 === 0 ? rows : rows.transpose([0, 2, 1, 3])).reshape([
    -1,
    height * width,
    channels,
  ]);
  return direction < 2 ? ordered : tf.reverse(ordered, 1);
}

/** The inverse of `turn`: [maps, height, width, channels]. */
function turnBack(x: tf.Tensor, direction: number, { height, width }: Size): tf.Tensor {
  const channels = x.shape.at(-1)!;
  const sequence = x.reshape([-1, height * width, channels]);
  const forward = direction < 2 ? sequence : tf.reverse(sequence, 1);
  if (direction % 2 === 0) return forward.reshape([-1, height, width, channels]);
  return forward.reshape([-1, width, height, channels]).transpose([0, 2, 1, 3]);
}

/** Each direction's sequences, [count * batch, length, n], as [count * directions, batch, length, n]. */
function joinSets(turned: readonly tf.Tensor[], count: number, batch: number): tf.Tensor4D {
  const [, length, n] = turned[0].shape;
  const parts = turned.map((x) => x.reshape([count, 1, batch, length, n]));
  return tf.concat(parts, 1).reshape([count * turned.length, batch, length, n]);
}

/** Each map through its depthwise convolution and SiLU: [maps, batch, height, width, inner], in one convolution. */
function convolved(scanned: readonly Scanned[]): tf.Tensor {
  const [batch, height, width, inner] = scanned[0].map.shape;
  const channels = inner * scanned.length;
  const parameters = scanned.map(({ scope }) => {
    const at = scope.at('conv2d');
    return {
      weight: at.param('weight', [inner, 1, 3, 3], torchWeight),
      bias: at.param('bias', [inner], torchBias(9)),
    };
  });
  const joined = <K extends 'weight' | 'bias'>(key: K) =>
    tf.concat(
      parameters.map((own) => own[key]),
      0,
    );
  const map = tf.concat(
    scanned.map((one) => one.map),
    3,
  ) as tf.Tensor4D;
  const y = conv2d(map, joined('weight') as tf.Tensor4D, {
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: channels,
  }).add(joined('bias'));
  return silu(y)
    .reshape([batch * height * width, scanned.length, inner])
    .transpose([1, 0, 2])
    .reshape([scanned.length, batch, height, width, inner]);
}

/** PyTorch's start of a linear layer, for each direction's. */
const torchWeightOfEach: Initializer = (values, [, outputs, inputs], random) =>
  torchWeight(values, [outputs, inputs], random);

/** Rates of decay from 1 to the number of states, in each channel. */
const rateInit: Initializer = (values, [, states]) => {
  for (let i = 0; i < values.length; i++) values[i] = Math.log(1 + (i % states));
};

/** Biases with which softplus gives step sizes between 0.001 and 0.1, evenly on a logarithmic scale. */
const stepInit: Initializer = (values, _, random) => {
  const [low, high] = [Math.log(0.001), Math.log(0.1)];
  for (let i = 0; i < values.length; i++) {
    const step = Math.max(1e-4, Math.exp(low + random.uniform() * (high - low)));
    values[i] = step + Math.log(-Math.expm1(-step));
  }
};
