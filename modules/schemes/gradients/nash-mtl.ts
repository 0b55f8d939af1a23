// Nash-MTL: the tasks bargain for the direction of the update; the solution is M a = 1 / a with M their Gram matrix,
// so that a_i (M a)_i = 1 for each task and the combined gradient has length sqrt(K) before it is clipped, whatever the
// scale of the losses. The authors' code solves the same equation (it divides M by its norm, and multiplies the norm
// back in its constraint), by at most 20 convex problems that often stop before it holds: on gradients whose Gram matrix
// has a condition of some thousands, a_i (M a)_i of one task was up to 60. Newton's method here ends where it holds.
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { fairProperties, FairScheme } from '../machinery/fair-scheme.js';
import { gradientProperties } from '../machinery/gradient-scheme.js';

const schema = defineOptions({ ...fairProperties, ...gradientProperties('all', 'weighted') });

@component({
  kind: 'scheme',
  name: 'nash_mtl',
  summary: "The Nash bargaining solution between the tasks' gradients.",
  source: 'Navon et al. 2022 (Nash-MTL), Claim 3.2 and Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class NashBargaining extends FairScheme<OptionsOf<typeof schema>> {
  protected readonly alpha = 1;
}
