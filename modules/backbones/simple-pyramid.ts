// ViTDet's simple feature pyramid (Li et al. 2022): the last map of a plain transformer, enlarged and shrunk to four scales,
// so that decoders for pyramids can follow one.
import * as tf from '../../registry/tf.js';
import {
  component,
  components,
  defineOptions,
  MtcpError,
  options,
  type Backbone,
  type ComponentFactory,
  type Encoded,
  type FeatureMap,
  type Layers,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { torchBias, torchWeight } from '../nn/initializers.js';
import { conv2d, layerNorm } from '../nn/layers.js';
import { gelu } from '../nn/ops/activations.js';
import { convTranspose2d } from '../nn/ops/convolution.js';
import { maxPool } from '../nn/pooling.js';

const schema = defineOptions({
  encoder: {
    $ref: '#/definitions/backbone',
    description: 'A plain transformer, such as vit, dinov2 or dinov3. The last of its maps is used.',
  },
  channels: { type: 'integer', minimum: 1, default: 256, description: 'Channels of every level.' },
});

const EPSILON = 1e-6;

/** Levels from fine to coarse: the name of each, and by how much its cells are smaller than a patch. */
const LEVELS = [
  { name: 'simfp_2', scale: 4 },
  { name: 'simfp_3', scale: 2 },
  { name: 'simfp_4', scale: 1 },
  { name: 'simfp_5', scale: 0.5 },
] as const;

@component({
  kind: 'backbone',
  name: 'simple_pyramid',
  summary:
    'A plain transformer with a pyramid of four levels, at 1/4, 1/2, 1 and 2 times the stride of a patch.',
  source:
    'Li et al. 2022 (ViTDet); names and arithmetic of SimpleFeaturePyramid in facebookresearch/detectron2',
  options: schema,
  encodes: { option: 'encoder', own: [/^simfp_/, 'the pyramid, which a plain transformer does not have'] },
  file: import.meta.url,
})
export class SimplePyramid implements Backbone {
  readonly #encoder: Backbone;

  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
  ) {
    this.#encoder = factory.create('backbone', options.encoder);
  }

  get layers(): Layers | undefined {
    const layers = this.#encoder.layers;
    if (!layers) return undefined;
    const after = [layers.after?.source, '\\bsimfp_'].filter((each) => each !== undefined).join('|');
    return { ...layers, after: new RegExp(after) };
  }

  /** The encoder's parameters keep their names, so that its checkpoints fit. */
  forward(scope: Scope, image: FeatureMap): Encoded {
    const encoded = this.#encoder.forward(scope, image);
    const last = 'shared' in encoded ? encoded.shared.at(-1) : undefined;
    if (!last)
      throw new MtcpError(
        'component',
        'backbone simple_pyramid: its encoder has no map that the tasks share',
        {
          option: 'encoder',
        },
      );
    const shared = LEVELS.map(({ name, scale }): FeatureMap => {
      const level = scope.at(name);
      const { map, layers } = resized(level, last.data, scale);
      // Layers are counted as in the reference, activations among them.
      const narrow = normalized(level.at(String(layers)), map, { kernel: 1 }, this.options.channels);
      const data = normalized(
        level.at(String(layers + 1)),
        narrow,
        { kernel: 3, padding: 1 },
        this.options.channels,
      );
      return { data, stride: last.stride / scale };
    });
    return { shared, ...(encoded.taps && { taps: encoded.taps }) };
  }
}

/** The map at another scale, and how many layers that takes. */
function resized(scope: Scope, x: tf.Tensor4D, scale: number): { map: tf.Tensor4D; layers: number } {
  const channels = x.shape[3];
  if (scale === 0.5) return { map: maxPool(evened(x), { kernel: 2, stride: 2, padding: 0 }), layers: 1 };
  if (scale === 1) return { map: x, layers: 0 };
  const doubled = enlarged(scope.at('0'), x, channels >> 1);
  if (scale === 2) return { map: doubled, layers: 1 };
  const inner = gelu(layerNorm(scope.at('1'), doubled, EPSILON));
  return { map: enlarged(scope.at('3'), inner, channels >> 2), layers: 4 };
}

/** A transposed convolution of 2x2 at stride 2: [batch, 2 * height, 2 * width, out]. */
function enlarged(scope: Scope, x: tf.Tensor4D, out: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const weight = scope.param<tf.Rank.R4>('weight', [channels, out, 2, 2], torchWeight);
  const y = convTranspose2d(x, weight, [batch, 2 * height, 2 * width, out], {
    stride: [2, 2],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
  });
  return y.add(scope.param('bias', [out], torchBias(out * 4)));
}

function normalized(
  scope: Scope,
  x: tf.Tensor4D,
  kernel: { kernel: number; padding?: number },
  out: number,
): tf.Tensor4D {
  return layerNorm(scope.at('norm'), conv2d(scope, x, out, { ...kernel, bias: false }), EPSILON);
}

/** The last row or column again where their number is odd: pooling then sees every cell. */
function evened(x: tf.Tensor4D): tf.Tensor4D {
  return [1, 2].reduce((map, axis) => {
    if (map.shape[axis] % 2 === 0) return map;
    const start = [0, 0, 0, 0];
    start[axis] = map.shape[axis] - 1;
    return tf.concat([map, tf.slice(map, start, [-1, -1, -1, -1])], axis) as tf.Tensor4D;
  }, x);
}
