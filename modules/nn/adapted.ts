// A parameter as an adaptation has it: without a gradient where it is frozen, plus the low-rank update that trains in its place.
import * as tf from '../../registry/tf.js';
import { adapterNames, type Adapter } from '../../registry/contracts/adaptation.js';
import { MtcpError, type Initializer } from '../../registry/index.js';
import { torchWeight, zeros } from './initializers.js';
import { detach } from './ops/detach.js';

/**
 * weight + scale * b a. As b starts at zero, the network starts as it would without.
 * @param weight [out, in]
 * @param factor asks for a parameter: name, shape, how it starts
 * @throws MtcpError `component` if the weight is no matrix
 */
export function adapted(
  name: string,
  weight: tf.Tensor,
  { rank, scale }: Adapter,
  factor: (name: string, shape: number[], init: Initializer) => tf.Tensor,
): tf.Tensor {
  if (weight.rank !== 2)
    throw new MtcpError(
      'component',
      `parameter "${name}" is ${weight.shape.join('x')}, which no low-rank product can update`,
      {
        hint: 'train.lora.parameters must name the weights of linear layers',
      },
    );
  const [out, inputs] = weight.shape;
  const names = adapterNames(name);
  const a = factor(names.a, [rank, inputs], torchWeight) as tf.Tensor2D;
  const b = factor(names.b, [out, rank], zeros) as tf.Tensor2D;
  return detach(weight).add(tf.matMul(b, a).mul(scale));
}
