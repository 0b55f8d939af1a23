// Loss weighting and gradient combination together: the first scheme transforms and weighs the losses, the second
// one combines the gradients of what comes out (protocol of IGB; "apply the loss transform first").
import type { Scalar } from '../../registry/tf.js';
import {
  component,
  components,
  defineOptions,
  MtcpError,
  options,
  type ComponentFactory,
  type EpochMeans,
  type OptionsOf,
  type PerTask,
  type Scheme,
  type SchemeInputs,
  type SchemeNeeds,
  type Scope,
  type StepInfo,
  type StepReport,
  type TaskLoss,
  type TaskScore,
} from '../../registry/index.js';

const schema = defineOptions({
  weights: {
    $ref: '#/definitions/scheme',
    description: 'Transforms and weighs the losses.',
  },
  gradients: {
    $ref: '#/definitions/scheme',
    description: 'Combines the gradients of the weighted losses.',
  },
});

@component({
  kind: 'scheme',
  name: 'compose',
  summary: 'The losses weighted by one scheme, their gradients combined by another.',
  source: 'Dai et al. 2023 (IGB) combine loss and gradient balancing in this order',
  options: schema,
  bare: true,
  file: import.meta.url,
})
export class ComposedScheme implements Scheme {
  readonly #losses: Scheme;
  readonly #mixer: Scheme;
  readonly needs: SchemeNeeds;

  constructor(
    @options() { weights, gradients }: OptionsOf<typeof schema>,
    @components() factory: ComponentFactory,
  ) {
    this.#losses = factory.create('scheme', weights);
    this.#mixer = factory.create('scheme', gradients);
    const [before, after] = this.#both.map((scheme) => scheme.needs ?? {});
    if (!after.gradients)
      throw refused(
        `gradients: ${gradients.type} does not combine gradients, it weighs losses`,
        `write \`weights: {type: ${gradients.type}}\` and a gradient scheme such as pcgrad under gradients`,
      );
    if (before.gradients)
      throw refused(
        `weights: ${weights.type} combines gradients, and there is only one combination in a step`,
        'choose a scheme that weighs losses, such as lps, log or uncertainty',
      );
    if (before.alone)
      throw refused(
        `${weights.type} ${before.alone}, and gives no gradients of single tasks to combine`,
        'choose a scheme whose objective is a sum over tasks, such as lps, log or uncertainty',
      );
    if (after.alone && weights.type !== 'equal')
      throw refused(
        `${gradients.type} ${after.alone} and goes with no other weights`,
        `write \`scheme: {type: ${gradients.type}}\``,
      );
    this.needs = {
      evaluation: before.evaluation || after.evaluation,
      again: before.again || after.again,
      gradients: after.gradients,
    };
  }

  /** The scheme that the losses meet: the second one if it has a transform of its own. */
  get #front(): Scheme {
    return this.#mixer.needs?.alone ? this.#mixer : this.#losses;
  }

  get #both(): Scheme[] {
    return [this.#losses, this.#mixer];
  }

  project(loss: Scalar): Scalar {
    return this.#front.project(loss);
  }

  combine(scope: Scope, losses: PerTask<TaskLoss>, inputs: SchemeInputs): PerTask<Scalar> | Scalar {
    return this.#front.combine(scope, losses, inputs);
  }

  weights(): PerTask<number> {
    return this.#front.weights();
  }

  scalars(): Record<string, number> {
    return this.#front.scalars?.() ?? {};
  }

  effective(raw: PerTask<number>): PerTask<number> {
    return this.#front.effective?.(raw) ?? {};
  }

  stepBegin(step: StepInfo): void {
    for (const scheme of this.#both) scheme.stepBegin?.(step);
  }

  stepEnd(step: StepReport): void {
    for (const scheme of this.#both) scheme.stepEnd?.(step);
  }

  epochEnd(means: EpochMeans): void {
    for (const scheme of this.#both) scheme.epochEnd?.(means);
  }

  evaluated(scores: PerTask<TaskScore>): void {
    for (const scheme of this.#both) scheme.evaluated?.(scores);
  }

  state(): unknown {
    return { weights: this.#losses.state(), gradients: this.#mixer.state() };
  }

  restore(state: unknown): void {
    const { weights, gradients } = state as { weights: unknown; gradients: unknown };
    this.#losses.restore(weights);
    this.#mixer.restore(gradients);
  }
}

const refused = (reason: string, hint: string): MtcpError =>
  new MtcpError('component', `scheme compose: ${reason}`, { hint });
