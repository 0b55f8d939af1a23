// mtcp's own operations, each declared once with its inputs and their ranks, its outputs and its attributes.
// modules/nn/ops implements each as a composite of ordinary operations with a gradient. An engine that has something
// faster registers a kernel. Both refer to the declaration, so that an unknown name, input or attribute does not
// compile. The declaration also names the kernels that an engine must have, which a test checks.
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D, Tensor5D } from '../tf.js';

interface Ranked {
  1: Tensor1D;
  2: Tensor2D;
  3: Tensor3D;
  4: Tensor4D;
  5: Tensor5D;
  any: Tensor;
}
export type InputRank = keyof Ranked;

type Outputs = readonly [string, ...string[]];

export interface Operation<
  I extends Record<string, InputRank> = Record<string, InputRank>,
  O extends Outputs = Outputs,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  A extends object = any,
> {
  /** The kernel's name in TensorFlow.js. */
  readonly name: string;
  readonly inputs: I;
  readonly outputs: O;
  /**
   * `required`: an engine that records graphs has a kernel for it, since the composite uses what graphs lack, is slow
   * there, or means nothing there. `optional`: the composite serves everywhere.
   */
  readonly kernel: 'required' | 'optional';
  /** Attributes exist as a type alone. */
  readonly attributes?: A;
}

/** Tensors for the inputs of an operation. */
export type TensorsOf<P extends Operation> = {
  [K in keyof P['inputs']]: Ranked[P['inputs'][K]];
};
/** The attributes of an operation. */
export type AttributesOf<P extends Operation> = NonNullable<P['attributes']>;
/** One `T` for each output of an operation. */
export type OutputsOf<P extends Operation, T> = Each<P['outputs'], T>;
/** One `T` for each input of an operation, by name. */
export type InputsOf<P extends Operation, T> = { [K in keyof P['inputs']]: T };

type Each<L extends readonly unknown[], T> = { -readonly [K in keyof L]: T };

export type NoAttributes = Record<never, never>;

export interface ConvAttributes {
  stride: [number, number];
  /** top, bottom, left, right */
  padding: [number, number, number, number];
  dilation: [number, number];
  groups: number;
}

export type MapShape = readonly [batch: number, height: number, width: number, channels: number];
export type FilterShape = readonly [out: number, inPerGroup: number, height: number, width: number];

export interface MaxPoolAttributes {
  kernel: number;
  stride: number;
  /** On all sides; padded positions never win. */
  padding: number;
}

export interface DeformableOptions {
  heads: number;
  points: number;
  /** Height and width of each level, in the order in which the values have them one after the other. */
  levels: readonly (readonly [number, number])[];
}

const declare =
  <A extends object = NoAttributes>() =>
  <const I extends Record<string, InputRank>, const O extends Outputs>(
    inputs: I,
    outputs: O,
    kernel: Operation['kernel'] = 'optional',
  ): Omit<Operation<I, O, A>, 'name'> => ({ inputs, outputs, kernel });

const DECLARED = {
  /** x, but not before `first` is there */
  After: declare()({ x: 'any', first: 'any' }, ['y'], 'required'),
  /** a constant matrix along the middle axis: [to, from] row by row */
  BandedProduct: declare<{ matrix: Float32Array; to: number }>()({ x: 3 }, ['y'], 'required'),
  BatchNorm: declare<{ epsilon: number }>()({ x: 'any', gamma: 1, beta: 1 }, [
    'y',
    'mean',
    'variance',
    'inverse',
  ]),
  BinaryActivation: declare()({ x: 'any' }, ['y']),
  BinaryWeight: declare()({ w: 'any' }, ['y']),
  Conv2D: declare<ConvAttributes>()({ x: 4, w: 4 }, ['y'], 'required'),
  Conv2DFilterGradient: declare<ConvAttributes & { filterShape: FilterShape }>()(
    { dy: 4, x: 4 },
    ['dw'],
    'required',
  ),
  Conv2DInputGradient: declare<ConvAttributes & { inputShape: MapShape }>()(
    { dy: 4, w: 4 },
    ['dx'],
    'required',
  ),
  ConvTranspose2D: declare<ConvAttributes & { outputShape: MapShape }>()({ x: 4, w: 4 }, ['y']),
  CrossEntropy: declare()({ logits: 2, labels: 1 }, ['losses', 'logProbabilities'], 'required'),
  CrossEntropyGradient: declare()({ dy: 1, logProbabilities: 2, labels: 1 }, ['dLogits'], 'required'),
  /** `recompute`: read the corner rows again in the backward pass, where they are 4 taps as large as the output */
  DeformableSampling: declare<DeformableOptions & { recompute: boolean }>()(
    { values: 3, positions: 5, weights: 4 },
    ['y'],
  ),
  Detach: declare()({ x: 'any' }, ['y'], 'required'),
  FeedForward: declare<{ activation: 'gelu' | 'relu' }>()({ x: 2, w1: 2, b1: 1, w2: 2, b2: 1 }, ['y']),
  Gelu: declare()({ x: 'any' }, ['y'], 'required'),
  LayerNorm: declare<{ epsilon: number }>()(
    { x: 'any', gamma: 1, beta: 1 },
    ['y', 'mean', 'inverse'],
    'required',
  ),
  MaxPool: declare<MaxPoolAttributes>()({ x: 4 }, ['y']),
  RelativePositions: declare<{ window: number }>()({ table: 2, index: 1, offsets: 2 }, ['y']),
  Relu: declare()({ x: 'any' }, ['y'], 'required'),
  RepeatCells: declare<{ factors: readonly [number, number] }>()({ x: 4 }, ['y']),
  ScatterShares: declare<{ count: number }>()({ shares: 3, rows: 3, index: 3 }, ['y'], 'required'),
  /** `steps`: positions of a chunk; `block`: steps whose states the backward pass holds at a time */
  SelectiveScan: declare<{ steps: number; block: number }>()({ u: 4, delta: 4, a: 3, b: 4, c: 4 }, [
    'y',
    'states',
  ]),
  SoftmaxAffinity: declare<{ tile: number }>()({ q: 3, k: 3, v: 3 }, ['y']),
  Summary: declare<{ axes: number[] }>()({ x: 'any' }, ['maximum', 'mean']),
};

const PREFIX = 'mtcp.';

/** Every operation of our own. */
export const OPERATIONS = Object.fromEntries(
  Object.entries(DECLARED).map(([key, declared]) => [key, { name: PREFIX + key, ...declared }]),
) as { [K in keyof typeof DECLARED]: (typeof DECLARED)[K] & { readonly name: string } };

/** Whether a kernel of this name is one of ours. */
export const isOwnKernel = (name: string): boolean => name.startsWith(PREFIX);

/** What a backend offers that records graphs. */
export interface Recomputing {
  /** Everything that `body` computes is computed again, even if the same values exist already. */
  recomputed<T>(body: () => T): T;
  /** True if large inner values are held whole instead of in tiles, because a compiler orders the computation. */
  readonly holdsWhole: boolean;
}
