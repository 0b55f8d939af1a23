// The published sizes of Swin (Liu et al. 2021, section 3.3), and the options of an encoder that has such a size.

export const SWIN_VARIANTS = {
  t: { embed: 96, depths: [2, 2, 6, 2], heads: [3, 6, 12, 24] },
  s: { embed: 96, depths: [2, 2, 18, 2], heads: [3, 6, 12, 24] },
  b: { embed: 128, depths: [2, 2, 18, 2], heads: [4, 8, 16, 32] },
  l: { embed: 192, depths: [2, 2, 18, 2], heads: [6, 12, 24, 48] },
} as const;

/** An option with a number for each of the four stages. */
export const stagesOption = <const D extends readonly number[]>(standard: D, description: string) =>
  ({
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    minItems: 4,
    maxItems: 4,
    default: standard,
    description,
  }) as const;

/** The same where null stands for what the variant has. */
export const nullableStages = (description: string) =>
  ({
    ...stagesOption([], `${description} null: of the variant.`),
    type: ['array', 'null'],
    default: null,
  }) as const;

/** Which size it is, and what it has of its own in place of it. */
export const swinSizeOptions = (name: string, standard: keyof typeof SWIN_VARIANTS) =>
  ({
    variant: {
      enum: ['t', 's', 'b', 'l'],
      default: standard,
      description: `${name}-T, S, B or L: sets the defaults of embed, depths and heads.`,
    },
    embed: {
      type: ['integer', 'null'],
      minimum: 1,
      default: null,
      description: 'Channels of the first stage; each later one has twice as many. null: of the variant.',
    },
    depths: nullableStages('Blocks of each stage.'),
    heads: nullableStages('Attention heads of each stage.'),
  }) as const;

/** The size that these options say. */
export function swinSize({
  variant,
  embed,
  depths,
  heads,
}: {
  variant: keyof typeof SWIN_VARIANTS;
  embed: number | null;
  depths: readonly number[] | null;
  heads: readonly number[] | null;
}): { embed: number; depths: readonly number[]; heads: readonly number[] } {
  const preset = SWIN_VARIANTS[variant];
  return { embed: embed ?? preset.embed, depths: depths ?? preset.depths, heads: heads ?? preset.heads };
}
