// What Adam and AdamW share: running means of the gradient and of its square, corrected for their start at zero.
import type { Scalar, Tensor1D } from '../../../registry/tf.js';
import { groupsOption } from './common.js';

export const momentOptions = {
  betas: {
    type: 'array',
    items: { type: 'number', minimum: 0, maximum: 1 },
    minItems: 2,
    maxItems: 2,
    default: [0.9, 0.999],
    description: 'Decay of the first and the second moment.',
  },
  epsilon: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1e-8,
    description: 'Added to the root of the second moment.',
  },
  groups: groupsOption,
} as const;

export const MOMENTS = ['first_moment', 'second_moment'] as const;

/** Factors of this step: on the first moment, and on the root of the second. */
export function momentScalars(step: number, rate: number, [beta1, beta2]: readonly number[]) {
  return { stride: rate / (1 - beta1 ** step), correction: 1 / Math.sqrt(1 - beta2 ** step) };
}

/** @returns the move against the gradient, and the new moments */
export function momentStep(
  gradient: Tensor1D,
  slots: Record<string, Tensor1D>,
  scalars: Record<string, Scalar>,
  { betas: [beta1, beta2], epsilon }: { betas: readonly number[]; epsilon: number },
) {
  const first: Tensor1D = slots.first_moment.mul<Tensor1D>(beta1).add(gradient.mul(1 - beta1));
  const second: Tensor1D = slots.second_moment.mul<Tensor1D>(beta2).add(gradient.square().mul(1 - beta2));
  const scale = second.sqrt().mul(scalars.correction).add(epsilon);
  const move: Tensor1D = first.div(scale).mul(scalars.stride);
  return { move, slots: { first_moment: first, second_moment: second } };
}
