// Aligned-MTL: the gradients' principal components are brought to one length, that of the smallest, so that the
// system of gradients is perfectly conditioned.
import {
  component,
  defineOptions,
  type Combination,
  type OptionsOf,
  type TaskGradients,
} from '../../../registry/index.js';
import { eigenSymmetric } from '../machinery/solvers/linear.js';
import { gradientProperties, GradientScheme, withoutZeros } from '../machinery/gradient-scheme.js';

const schema = defineOptions({ ...gradientProperties('representation', 'sum') });

/** Components below this share of the largest, times the number of tasks, are float32 noise. */
const PRECISION = 2 ** -23;

@component({
  kind: 'scheme',
  name: 'aligned_mtl',
  summary: 'The sum of the gradients after their principal components are brought to one length.',
  source: 'Senushkin et al. 2023 (Aligned-MTL), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class AlignedGradients extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = true;

  protected mix(gradients: TaskGradients): Combination {
    return { coefficients: withoutZeros(gradients, aligned) };
  }
}

function aligned(gram: number[][]): number[] {
  const { values, vectors } = eigenSymmetric(gram);
  const kept = values.filter((value) => value > values[0] * gram.length * PRECISION);
  const least = Math.sqrt(kept[kept.length - 1]);
  const coefficients = gram.map(() => 0);
  kept.forEach((value, k) => {
    const sum = vectors[k].reduce((a, b) => a + b, 0);
    vectors[k].forEach((x, i) => (coefficients[i] += (least / Math.sqrt(value)) * x * sum));
  });
  return coefficients;
}
