// How much room a plot has. By default each plot has its own sizes, for screens; figures of a paper have a given width, and
// text of a given size in it.
import { textWidth } from './labels.js';

export interface Layout {
  /** Width of the whole plot. */
  total: number;
  /** Size of text. */
  size: number;
}

/** Axis, its labels and its title, left of a panel. */
const axisWidth = (size: number): number => 5.2 * size;

/**
 * Panels of equal width side by side.
 * @param count of panels
 * @param least width of a panel that can be read
 * @param beyond right of each panel: labels
 */
export function panelsIn(
  { total, size }: Layout,
  { count, least, beyond }: { count: number; least: number; beyond: number },
): { columns: number; width: number } {
  const besides = axisWidth(size) + beyond;
  const columns = Math.max(1, Math.min(count, Math.floor(total / (least + besides))));
  return { columns, width: Math.max(least, Math.floor(total / columns - besides)) };
}

export const widestOf = (texts: readonly string[], size: number): number =>
  Math.max(0, ...texts.map((text) => textWidth(text, size)));
