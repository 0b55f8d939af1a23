// my-block: a further term of the objective. Here the mean square of some parameters: weight decay that is part of the
// loss.
import * as tf from '@tensorflow/tfjs-core';
import {
  component,
  defineOptions,
  options,
  type AuxiliaryContext,
  type AuxiliaryLoss,
  type OptionsOf,
} from 'mtcp/registry';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  parameters: {
    type: 'string',
    default: 'heads.*',
    description: 'Which parameters, * standing for any characters.',
  },
});

@component({
  kind: 'auxiliary',
  name: 'my-block',
  summary: 'Mean square of some parameters.',
  options: schema,
})
export class MyBlock implements AuxiliaryLoss {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /** Besides parameters it may look at features, at a teacher's, at labels and at the tasks' own losses. */
  forward({ parameters }: AuxiliaryContext): tf.Scalar {
    const squares = [...parameters(this.options.parameters).values()].map((weight) => weight.square().mean());
    return tf.addN(squares).div(squares.length) as tf.Scalar;
  }
}
