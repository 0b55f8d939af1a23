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

/** The name of the variant whose options these are; undefined if there is none. */
export function variantOf(
  options: Record<string, unknown>,
  variants: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): string | undefined {
  const same = (variant: Readonly<Record<string, unknown>>) =>
    Object.entries(variant).every(([key, value]) => JSON.stringify(options[key]) === JSON.stringify(value));
  return Object.entries(variants).find(([, variant]) => same(variant))?.[0];
}
