// Several decoders one after the other.
import { component, components, options } from '../../registry/component.js';
import type { ComponentFactory, Slot } from '../../registry/container.js';
import type { Block } from '../../registry/contracts/blocks.js';
import type { Features } from '../../registry/contracts/features.js';
import type { Scope } from '../../registry/contracts/scope.js';
import type { OptionsSchema } from '../../registry/options.js';

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    blocks: {
      type: 'array',
      items: { $ref: '#/definitions/decoder' },
      minItems: 1,
      description: 'The decoders, in the order in which they run.',
    },
  },
  required: ['blocks'],
} as const satisfies OptionsSchema;

@component({
  kind: 'decoder',
  name: 'sequence',
  summary: 'Several decoders one after the other.',
  options: schema,
})
export class DecoderSequence implements Block {
  readonly #blocks: Block[];

  constructor(@options() { blocks }: { blocks: readonly Slot[] }, @components() factory: ComponentFactory) {
    this.#blocks = blocks.map((slot) => factory.create('decoder', slot));
  }

  forward(scope: Scope, features: Features): Features {
    return this.#blocks.reduce((current, block, i) => block.forward(scope.at(`${i}`), current), features);
  }
}
