// my-block: from the image to a feature pyramid. Here a stack of strided 3x3 convolutions.
import {
  component,
  defineOptions,
  options,
  type Backbone,
  type FeatureMap,
  type OptionsOf,
  type Pyramid,
  type Scope,
} from 'mtcp/registry';
import { batchNorm, conv2d, relu } from 'mtcp/nn';

/** What an experiment file may set; every option has a description and a default. */
const schema = defineOptions({
  channels: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 2,
    default: [16, 32, 64, 128],
    description: 'Channels after each convolution; each halves the resolution.',
  },
});

@component({
  kind: 'backbone',
  name: 'my-block',
  summary: 'Strided 3x3 convolutions; gives the maps from stride 4 on.',
  options: schema,
})
export class MyBlock implements Backbone {
  constructor(@options() private readonly options: OptionsOf<typeof schema>) {}

  /**
   * @param image normalised, [batch, height, width, 3]
   * @returns one pyramid for all tasks, fine to coarse; `{ tasks }` gives each task a pyramid of its own
   */
  forward(scope: Scope, image: FeatureMap): { shared: Pyramid } {
    const maps: FeatureMap[] = [];
    let { data, stride } = image;
    this.options.channels.forEach((channels, i) => {
      const stage = scope.at(`stages.${i}`);
      const halved = conv2d(stage.at('conv'), data, channels, {
        kernel: 3,
        stride: 2,
        padding: 1,
        bias: false,
      });
      data = relu(batchNorm(stage.at('norm'), halved));
      stride *= 2;
      maps.push({ data, stride });
    });
    return { shared: maps.slice(1) };
  }
}
