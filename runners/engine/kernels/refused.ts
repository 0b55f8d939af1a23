// Operations without a kernel. TensorFlow.js has more operations than the recording engine. The others are refused
// where they are used, under the name that the caller wrote, with a suggestion what to use instead.
import { nearestNames } from '../../../registry/support/near.js';
import { MtcpError } from '../../../registry/errors.js';
import * as tf from '../../../registry/tf.js';
import { RECORDING } from '../backend.js';
import { operationUnderWay } from '../operation-names.js';
import type { KernelName } from './register.js';

/** What to use instead, where there is something. */
const INSTEAD: Partial<Record<KernelName, string>> = {
  Atan2: 'tf.atan of the quotient, and tf.where for the quadrant',
  AvgPool: 'averagePool of mtcp/nn',
  BatchToSpaceND: 'tf.reshape and tf.transpose',
  Bincount: 'tf.oneHot and tf.sum',
  BitwiseAnd: 'tf.logicalAnd of conditions',
  Complex: 'one tensor for the real and one for the imaginary part',
  Conv2D: 'conv2d of mtcp/nn',
  Conv2DBackpropInput: 'resizeBilinear and conv2d of mtcp/nn',
  CropAndResize: 'tf.slice and resizeBilinear of mtcp/nn',
  Cumprod: 'tf.exp of tf.cumsum of tf.log',
  DenseBincount: 'tf.oneHot and tf.sum',
  DepthwiseConv2dNative: 'conv2d of mtcp/nn with as many groups as channels',
  Diag: 'tf.mul with tf.eye',
  Dilation2D: 'maxPool of mtcp/nn',
  Einsum: 'tf.matMul, tf.transpose and tf.reshape',
  FFT: 'tf.matMul with constant matrices of cosines and sines',
  FlipLeftRight: 'tf.reverse',
  FusedBatchNorm: 'batchNorm of mtcp/nn',
  FusedConv2D: 'conv2d of mtcp/nn and an activation',
  FusedDepthwiseConv2D: 'conv2d of mtcp/nn with as many groups as channels, and an activation',
  IFFT: 'tf.matMul with constant matrices of cosines and sines',
  LRN: 'layerNorm or groupNorm of mtcp/nn',
  LowerBound: 'tf.greater against every boundary, and tf.sum',
  MatrixBandPart: 'tf.mul with a constant mask',
  MaxPool: 'maxPool of mtcp/nn',
  MaxPoolWithArgmax: 'maxPool of mtcp/nn',
  MirrorPad: 'tf.concat of tf.slice and tf.reverse',
  NonMaxSuppressionV3: 'maxPool of mtcp/nn, and tf.equal',
  ResizeBilinear: 'resizeBilinear of mtcp/nn',
  ResizeNearestNeighbor: 'resizeNearest of mtcp/nn',
  RotateWithOffset: 'tf.gather at constant positions',
  ScatterNd: 'tf.unsortedSegmentSum',
  SearchSorted: 'tf.greater against every boundary, and tf.sum',
  SpaceToBatchND: 'tf.reshape and tf.transpose',
  SparseSegmentMean: 'tf.unsortedSegmentSum',
  SparseSegmentSum: 'tf.unsortedSegmentSum',
  TensorScatterUpdate: 'tf.where with a mask',
  Transform: 'tf.gather at constant positions',
  UpperBound: 'tf.greaterEqual against every boundary, and tf.sum',
  _FusedMatMul: 'tf.matMul and an activation',
};

/** Every kernel that TensorFlow.js has a name for. */
const known = (Object.entries(tf) as [string, unknown][])
  .filter(([key, value]) => key === value)
  .map(([key]) => key as KernelName);

/** The kernels of TensorFlow.js that the recording engine has. */
export const supportedKernels: readonly KernelName[] = known.filter((name) => tf.getKernel(name, RECORDING));

for (const name of known)
  if (!supportedKernels.includes(name))
    tf.registerKernel({
      kernelName: name,
      backendName: RECORDING,
      kernelFunc: function refused() {
        const error = new MtcpError('engine', `${operationUnderWay() ?? name} cannot be recorded`, {
          hint: `${instead(name)}\ndocs/extending.md lists the operations that can be recorded`,
        });
        Error.captureStackTrace(error, refused);
        throw error;
      },
    });

function instead(name: KernelName): string {
  const known = INSTEAD[name];
  if (known) return `use ${known}`;
  const near = nearestNames(name, supportedKernels);
  return near.length > 0
    ? `the nearest that can: ${near.join(', ')}`
    : 'compose it of others, or give it a kernel in runners/engine/kernels';
}
