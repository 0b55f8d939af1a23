// Surface normals as a class: which of a number of directions is nearest. Supervises auxiliary predictions whose
// regions are to be told apart (ATRC); no head reads normals from it.
//
// ATRC's 40 directions are cluster centres of NYUD-v2's normals; ours are spread evenly over the half-sphere of what a
// camera can see, so that they belong to no data set.
import * as tf from '../../registry/tf.js';
import { component, defineOptions, IGNORE, type OptionsOf } from '../../registry/index.js';
import { ClassifiedLoss } from './machinery/classified.js';

const schema = defineOptions({
  directions: { type: 'integer', minimum: 2, default: 40, description: 'Number of directions.' },
});

@component({
  kind: 'loss',
  name: 'normal_directions',
  summary: 'Cross entropy over directions spread on the visible half-sphere, mean over the labelled pixels.',
  source: 'Bruggemann et al. 2021 (ATRC); brdav/atrc src/model/criterion.py, ClusterCrossEntropyLoss',
  tasks: [],
  options: schema,
  file: import.meta.url,
})
export class NormalDirectionsLoss extends ClassifiedLoss<OptionsOf<typeof schema>> {
  channels(): number {
    return this.options.directions;
  }

  /** label: unit vectors or IGNORE, float32 [B,H,W,3] */
  protected classify(label: tf.Tensor) {
    const { directions } = this.options;
    const vectors = label.reshape([-1, 3]) as tf.Tensor2D;
    const known = tf.notEqual(vectors, tf.scalar(IGNORE)).cast('float32').min(1);
    // The nearest of unit vectors is the one with the largest product.
    const products = tf.matMul(vectors, tf.tensor2d(halfSphere(directions)), false, true);
    const nearest = products.argMax(1) as tf.Tensor1D;
    return { classes: nearest, known };
  }
}

/** Fibonacci's spiral over the half-sphere z < 0, which faces the camera: `count` unit vectors, equal areas. */
export function halfSphere(count: number): [number, number, number][] {
  const turn = Math.PI * (3 - Math.sqrt(5));
  return Array.from({ length: count }, (_, i) => {
    const z = -(i + 0.5) / count;
    const radius = Math.sqrt(1 - z * z);
    return [radius * Math.cos(i * turn), radius * Math.sin(i * turn), z];
  });
}
