// The look of plots: light axes, and colours that colour-blind readers can distinguish.
import type { Config } from 'vega-lite';
import { FONT } from './fonts.js';

export type Mode = 'light' | 'dark' | 'page' | 'paper';

/** Text of figures in a paper. */
export interface PaperText {
  family: string;
  /** In units of the plot. */
  size: number;
}

/**
 * Okabe and Ito's palette, without black and yellow, so that it serves on light and dark ground, and further colours for
 * tables of many rows; a plot of more than these repeats them.
 */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#8c6bb1',
  '#999999',
  '#a50f15',
  '#6b8e23',
  '#4b3fa7',
  '#a0522d',
  '#e377c2',
  '#2f8f9d',
  '#bcbd22',
  '#5a6f8c',
] as const;

const INK: Record<Mode, { text: string; line: string; grid: string; background: string | null }> = {
  light: { text: '#222222', line: '#888888', grid: '#e6e6e6', background: '#ffffff' },
  dark: { text: '#e8e8e8', line: '#888888', grid: '#3a3a3a', background: '#16181c' },
  paper: { text: '#000000', line: '#666666', grid: '#e0e0e0', background: null },
  page: { text: 'currentColor', line: '#888888', grid: '#8888883c', background: null },
};

/** @param paper text of a figure; by default Vega's own sizes */
export function theme(mode: Mode, paper?: PaperText): Config {
  const { text, line, grid, background } = INK[mode];
  const sizes = paper && { labelFontSize: paper.size, titleFontSize: paper.size };
  return {
    font: paper ? `'${paper.family.replaceAll("'", '')}', serif` : `${FONT}, system-ui, sans-serif`,
    background: background ?? 'transparent',
    title: { color: text, anchor: 'start', fontSize: paper?.size ?? 13, subtitleColor: text },
    axis: {
      labelColor: text,
      titleColor: text,
      domainColor: line,
      tickColor: line,
      gridColor: grid,
      titleFontWeight: 'normal',
      ...sizes,
    },
    legend: {
      labelColor: text,
      titleColor: text,
      titleFontWeight: 'normal',
      labelLimit: 420,
      symbolLimit: 0,
      columns: 1,
      ...sizes,
      ...(paper && { symbolSize: 4 * paper.size }),
    },
    header: { labelColor: text, titleColor: text, labelFontWeight: 'bold', ...sizes },
    view: { stroke: null },
    line: { strokeWidth: paper ? 1.2 : 2 },
    range: { category: [...COLOURS] },
  };
}
