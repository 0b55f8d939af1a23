// How plots look: quiet axes, colours that colour-blind readers can tell apart.
import type { Config } from 'vega-lite';
import { FONT } from './fonts.js';

export type Mode = 'light' | 'dark' | 'page';

/** Okabe and Ito's palette, without black, so that it serves on light and dark ground. */
export const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#8c6bb1',
  '#999999',
] as const;

const INK: Record<Mode, { text: string; line: string; grid: string; background: string | null }> = {
  light: { text: '#222222', line: '#888888', grid: '#e6e6e6', background: '#ffffff' },
  dark: { text: '#e8e8e8', line: '#888888', grid: '#3a3a3a', background: '#16181c' },
  page: { text: 'currentColor', line: '#888888', grid: '#8888883c', background: null },
};

export function theme(mode: Mode): Config {
  const { text, line, grid, background } = INK[mode];
  return {
    font: `${FONT}, system-ui, sans-serif`,
    background: background ?? 'transparent',
    title: { color: text, anchor: 'start', fontSize: 13, subtitleColor: text },
    axis: {
      labelColor: text,
      titleColor: text,
      domainColor: line,
      tickColor: line,
      gridColor: grid,
      titleFontWeight: 'normal',
    },
    legend: { labelColor: text, titleColor: text, titleFontWeight: 'normal', labelLimit: 260 },
    header: { labelColor: text, titleColor: text, labelFontWeight: 'bold' },
    view: { stroke: null },
    line: { strokeWidth: 2 },
    range: { category: [...COLOURS] },
  };
}
