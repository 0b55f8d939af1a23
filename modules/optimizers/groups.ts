// The option by which some parameters get a learning rate or weight decay of their own; every optimizer has it.
export const groupsOption = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    properties: {
      parameters: {
        type: 'string',
        minLength: 1,
        description: 'Names of the parameters; * stands for any characters.',
      },
      rate: {
        type: 'number',
        minimum: 0,
        description: 'Factor on the learning rate; 0 keeps them as they are.',
      },
      weight_decay: { type: 'number', minimum: 0, description: 'Weight decay in place of the general one.' },
    },
    required: ['parameters'],
  },
  default: [],
  description:
    'Parameters with a rate or decay of their own. A parameter belongs to the first group that names it.',
} as const;
