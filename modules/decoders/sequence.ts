// Several decoders one after the other.
import {
  component,
  components,
  defineOptions,
  options,
  type Block,
  type ComponentFactory,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';

const schema = defineOptions({
  blocks: {
    type: 'array',
    items: { $ref: '#/definitions/decoder' },
    minItems: 1,
    description: 'The decoders, in the order in which they run.',
  },
});

@component({
  kind: 'decoder',
  name: 'sequence',
  summary: 'Several decoders one after the other.',
  options: schema,
  file: import.meta.url,
})
export class DecoderSequence implements Block {
  readonly #blocks: Block[];

  constructor(@options() { blocks }: OptionsOf<typeof schema>, @components() factory: ComponentFactory) {
    this.#blocks = blocks.map((slot) => factory.create('decoder', slot));
  }

  forward(scope: Scope, features: Features): Features {
    return this.#blocks.reduce((current, block, i) => block.forward(scope.at(`${i}`), current), features);
  }
}
