// Derives an architecture from the shapes of a file's tensors: shared by all families of checkpoints.
import { MtcpError } from '../../registry/index.js';

export type Shapes = ReadonlyMap<string, readonly number[]>;

/** @throws MtcpError `weights` if the file lacks the tensor, so that it is none of the family */
export function dimension(shapes: Shapes, name: string, axis: number): number {
  const size = shapes.get(name)?.[axis];
  if (size === undefined)
    throw new MtcpError('weights', `there is no "${name}"`, { hint: 'files of this family have it' });
  return size;
}

/** How many of `prefix.0.*`, `prefix.1.*`, ... there are. */
export function countOf(shapes: Shapes, prefix: string): number {
  const pattern = new RegExp(`^${prefix.replaceAll('.', '\\.')}\\.(\\d+)\\.`);
  return 1 + Math.max(-1, ...[...shapes.keys()].map((name) => Number(pattern.exec(name)?.[1] ?? -1)));
}

/**
 * A whole number of a `config.json`; undefined if it does not have it.
 * @throws MtcpError `weights` if it is something else
 */
export function countIn(settings: Readonly<Record<string, unknown>>, key: string): number | undefined {
  const value = settings[key];
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw new MtcpError('weights', `config.json says ${key}: ${JSON.stringify(value)}, which is not a count`);
}

/** What is thrown if nothing says how many heads an attention has. */
export const headsUnknown = (key: string): MtcpError =>
  new MtcpError('weights', 'the shapes of its tensors do not tell the number of attention heads', {
    option: 'heads',
    hint: `say it with --heads, or in a config.json beside the file: { "${key}": ... }`,
  });

/**
 * Attention heads of a vision transformer, which no shape tells: what the settings say, or a published size has.
 * @throws MtcpError `weights` if neither tells, or the heads do not divide the channels
 */
export function headsOfPublished(
  { channels, depth }: { channels: number; depth: number },
  published: Readonly<Record<string, { channels: number; depth: number; heads: number }>>,
  settings: Readonly<Record<string, unknown>>,
): number {
  const told = countIn(settings, 'num_heads') ?? countIn(settings, 'num_attention_heads');
  const same = Object.values(published).find((each) => each.channels === channels && each.depth === depth);
  const heads = told ?? same?.heads;
  if (heads === undefined) throw headsUnknown('num_heads');
  if (channels % heads !== 0)
    throw new MtcpError('weights', `${channels} channels cannot be shared by ${heads} heads`);
  return heads;
}

/**
 * Rows and columns of the position table: what `config.json` says, or those of a square.
 * @throws MtcpError `weights` if neither has that many positions
 */
export function gridOf(positions: number, { grid }: Readonly<Record<string, unknown>>): [number, number] {
  if (grid !== undefined) {
    const [rows, columns] = Array.isArray(grid) && grid.length === 2 ? (grid as unknown[]) : [];
    const whole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns);
    if (whole && (rows as number) * (columns as number) === positions && (rows as number) > 0)
      return [rows as number, columns as number];
    throw new MtcpError(
      'weights',
      `config.json says grid: ${JSON.stringify(grid)}, but the position table has ${positions} positions`,
    );
  }
  const side = Math.round(Math.sqrt(positions));
  if (side * side === positions) return [side, side];
  throw new MtcpError(
    'weights',
    `its position table has ${positions} positions, which is no square; config.json beside it may say { "grid": [rows, columns] }`,
  );
}

/** What the MLPs of a vision transformer are: the first layer of a gated unit has both its halves. */
export function mlpOf(shapes: Shapes): { hidden: number; mlp: 'gelu' | 'swiglu' } {
  const hidden = dimension(shapes, 'blocks.0.mlp.fc2.weight', 1);
  const gated = dimension(shapes, 'blocks.0.mlp.fc1.weight', 0) !== hidden;
  return { hidden, mlp: gated ? 'swiglu' : 'gelu' };
}

/** The name of the variant whose options these are; undefined if there is none. */
export function variantOf(
  options: Record<string, unknown>,
  variants: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): string | undefined {
  const same = (variant: Readonly<Record<string, unknown>>) =>
    Object.entries(variant).every(([key, value]) => JSON.stringify(options[key]) === JSON.stringify(value));
  return Object.entries(variants).find(([, variant]) => same(variant))?.[0];
}
