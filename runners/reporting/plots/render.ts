// Plots are Vega-Lite specifications: data and encodings as plain objects, drawn without a browser as SVG, and
// from that as PNG. Whoever wants another plot writes another specification.
import sharp from 'sharp';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { writeWhole } from '../../ledger/files.js';
import { FONT, useOwnFonts } from './fonts.js';
import { theme, type Mode } from './theme.js';

export type { TopLevelSpec } from 'vega-lite';

export interface PlotOptions {
  /** `light`, `dark`, or `page`: colours of text and lines come from the page that the SVG stands in. */
  mode?: Mode;
}

/** @returns an SVG document */
export async function plotSvg(spec: TopLevelSpec, { mode = 'light' }: PlotOptions = {}): Promise<string> {
  const { config, ...rest } = spec as TopLevelSpec & { config?: object };
  const themed = { ...rest, config: { ...theme(mode), ...config } } as TopLevelSpec;
  const logger = vega.logger(vega.Error);
  const view = new vega.View(vega.parse(compile(themed, { logger }).spec), { renderer: 'none', logger });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** @param scale pixels of the picture per pixel of the plot */
export async function plotPng(
  spec: TopLevelSpec,
  { scale = 2, ...options }: PlotOptions & { scale?: number } = {},
): Promise<Buffer> {
  useOwnFonts();
  const svg = await plotSvg(spec, options);
  return sharp(Buffer.from(svg), { density: 72 * scale })
    .png()
    .toBuffer();
}

/**
 * Writes `<path>.svg`, `<path>.png` and `<path>.vl.json`, the specification itself with its data.
 * @returns the paths written
 */
export async function writePlot(path: string, spec: TopLevelSpec): Promise<string[]> {
  const files: [string, string | Uint8Array][] = [
    [`${path}.svg`, await plotSvg(spec)],
    [`${path}.png`, await plotPng(spec)],
    [`${path}.vl.json`, `${JSON.stringify(spec, null, 1)}\n`],
  ];
  for (const [file, content] of files) writeWhole(file, content);
  return files.map(([file]) => file);
}

export { FONT };
