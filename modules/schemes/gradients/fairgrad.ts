// FairGrad: the update that is alpha-fair to the tasks' gains. alpha = 1 is proportional fairness (Nash-MTL); the
// larger alpha, the more the worst-off task counts. The authors' code solves M a = a^(-1/alpha) by least squares from
// the same start at every step; it is one convex problem, solved to the end here.
import { component, defineOptions, type OptionsOf } from '../../../registry/index.js';
import { fairProperties, FairScheme } from '../machinery/fair-scheme.js';
import { gradientProperties } from '../machinery/gradient-scheme.js';

const schema = defineOptions({
  alpha: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 1,
    description:
      'How fair: 1 is proportional fairness, large values approach the best for the worst-off task.',
  },
  ...fairProperties,
  ...gradientProperties('all', 'weighted'),
});

@component({
  kind: 'scheme',
  name: 'fairgrad',
  summary: "The update that is alpha-fair to the tasks' gains.",
  source: 'Ban and Ji 2024 (FairGrad), Eq 5 and Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class FairGradients extends FairScheme<OptionsOf<typeof schema>> {
  protected get alpha(): number {
    return this.options.alpha;
  }
}
