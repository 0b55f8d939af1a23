// my-block: from the shared pyramid to a pyramid for each task. Here each level gets a 3x3 convolution of the task's own.
import {
  component,
  defineOptions,
  options,
  tasks,
  type Block,
  type Features,
  type OptionsOf,
  type Scope,
  type Task,
} from 'mtcp/registry';
import { batchNorm, conv2d, relu } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  channels: { type: 'integer', minimum: 1, default: 64, description: "Channels of each task's maps." },
});

@component({
  kind: 'decoder',
  name: 'my-block',
  summary: 'A 3x3 convolution for each task on each level of the shared pyramid.',
  options: schema,
})
export class MyBlock implements Block {
  constructor(
    @options() private readonly options: OptionsOf<typeof schema>,
    @tasks() private readonly tasks: readonly Task[],
  ) {}

  /** Before the decoder, every task's pyramid is the backbone's. What comes out is also kept as `stages`. */
  forward(scope: Scope, features: Features): Features {
    const { channels } = this.options;
    const pyramids = Object.fromEntries(
      this.tasks.map(({ name }) => [
        name,
        features.tasks[name].map(({ data, stride }, level) => {
          const own = scope.at(`${name}.${level}`);
          const mapped = conv2d(own.at('conv'), data, channels, { kernel: 3, padding: 1, bias: false });
          return { data: relu(batchNorm(own.at('norm'), mapped)), stride };
        }),
      ]),
    );
    return { ...features, tasks: pyramids, stages: pyramids };
  }
}
