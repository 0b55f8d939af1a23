// Options that components made of transformer blocks share.
export const windowOption = {
  type: 'integer',
  minimum: 1,
  default: 7,
  description: 'Window size in cells.',
} as const;

export const mlpRatioOption = {
  type: 'number',
  exclusiveMinimum: 0,
  default: 4,
  description: "Hidden over outer width of the blocks' MLPs.",
} as const;

/** The option for stochastic depth, with the component's own default. */
export const dropPathOption = <const P extends number>(standard: P) =>
  ({
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: standard,
    description: 'Drop-path probability of the last block; rises linearly from 0.',
  }) as const;
