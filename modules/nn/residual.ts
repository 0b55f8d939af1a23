// The residual blocks of He et al. 2016, as ResNet, HRNet and many task-specific decoders use them. Parameter
// names are torchvision's.
import type { Tensor4D } from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { kaimingFanOut } from './initializers.js';
import { batchNorm, conv2d, type ConvOptions } from './layers.js';
import { relu } from './ops/activations.js';

export interface ResidualOptions {
  stride?: number;
  /** Of the 3x3 convolutions. */
  dilation?: number;
  /** Of the first (strided) 3x3 convolution where a dilated network takes back a stride; default `dilation`. */
  firstDilation?: number;
}

/**
 * A convolution without bias and its batch norm; `names` are their scopes.
 * @param x [batch, height, width, channels]
 * @returns [batch, rows, columns, out], smaller by `options.stride`
 */
export function convNorm(
  scope: Scope,
  [conv, norm]: readonly [string, string],
  x: Tensor4D,
  out: number,
  options: ConvOptions,
): Tensor4D {
  const y = conv2d(scope.at(conv), x, out, { bias: false, weightInit: kaimingFanOut, ...options });
  return batchNorm(scope.at(norm), y);
}

/** `x` itself, or its 1x1 projection where shapes differ. */
function shortcut(scope: Scope, x: Tensor4D, out: number, stride: number): Tensor4D {
  if (stride === 1 && x.shape[3] === out) return x;
  return convNorm(scope, ['downsample.0', 'downsample.1'], x, out, { kernel: 1, stride });
}

/**
 * Two 3x3 convolutions and their shortcut (He et al. 2016).
 * @param x [batch, height, width, channels]
 * @returns [batch, rows, columns, out], smaller by the stride
 */
export function basicBlock(
  scope: Scope,
  x: Tensor4D,
  out: number,
  { stride = 1, dilation = 1, firstDilation = dilation }: ResidualOptions = {},
): Tensor4D {
  const first = convNorm(scope, ['conv1', 'bn1'], x, out, {
    kernel: 3,
    stride,
    padding: firstDilation,
    dilation: firstDilation,
  });
  const second = convNorm(scope, ['conv2', 'bn2'], relu(first), out, {
    kernel: 3,
    padding: dilation,
    dilation,
  });
  return relu(second.add(shortcut(scope, x, out, stride)));
}

/**
 * 1x1, 3x3, 1x1 and their shortcut (He et al. 2016); the stride sits on the 3x3 as in torchvision.
 * @param x [batch, height, width, channels]
 * @returns [batch, rows, columns, out], smaller by the stride; `out` is 4 * `width` if nothing else is said
 */
export function bottleneck(
  scope: Scope,
  x: Tensor4D,
  width: number,
  {
    stride = 1,
    dilation = 1,
    firstDilation = dilation,
    out = 4 * width,
  }: ResidualOptions & { out?: number } = {},
): Tensor4D {
  const narrow = relu(convNorm(scope, ['conv1', 'bn1'], x, width, { kernel: 1 }));
  const middle = convNorm(scope, ['conv2', 'bn2'], narrow, width, {
    kernel: 3,
    stride,
    padding: firstDilation,
    dilation: firstDilation,
  });
  const wide = convNorm(scope, ['conv3', 'bn3'], relu(middle), out, { kernel: 1 });
  return relu(wide.add(shortcut(scope, x, out, stride)));
}

/**
 * `count` bottlenecks of the same size, [batch, height, width, out]; the first one changes the width where
 * it must.
 */
export function bottlenecks(scope: Scope, x: Tensor4D, out: number, count: number): Tensor4D {
  for (let i = 0; i < count; i++)
    x = bottleneck(scope.at(`${i}`), x, Math.max(1, Math.floor(out / 4)), { out });
  return x;
}

/** `count` basic blocks of the same size, [batch, height, width, out]. */
export function basicBlocks(scope: Scope, x: Tensor4D, out: number, count: number): Tensor4D {
  for (let i = 0; i < count; i++) x = basicBlock(scope.at(`${i}`), x, out);
  return x;
}
