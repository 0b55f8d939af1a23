// Draws plots. A plot is a Vega-Lite specification: data and encodings as plain objects. Vega draws it as SVG without
// a browser, and sharp converts that to PNG. Vega is loaded only when something is drawn.
import type { View } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { printable } from '../support/escape.js';
import { writeWhole } from '../support/files.js';
import { useOwnFonts } from './fonts.js';
import type { Marks } from './hover.js';
import { theme, type Mode, type PaperText } from './theme.js';

export interface Plot {
  /** File name without extension. */
  name: string;
  title: string;
  spec: TopLevelSpec;
  /** What a page shows about its marks. */
  marks?: Marks;
}

export interface DrawOptions {
  /** `light`, `dark`, or `page`: colours of text come from the page that the SVG stands in. */
  mode?: Mode;
  /** Whether the title is part of the picture. */
  titled?: boolean;
  /** Of figures in a paper. */
  text?: PaperText;
}

/** Pixels of the PNG for each unit of the SVG. */
const SCALE = 2;

/** A view of the plot, which the caller finalizes. */
export async function openView(
  { title, spec }: Plot,
  { mode = 'light', titled = true, text }: DrawOptions = {},
): Promise<View> {
  const [{ Error: errors, logger, parse, View }, { compile }] = await Promise.all([
    import('vega'),
    import('vega-lite'),
  ]);
  const config = { ...theme(mode, text), ...spec.config };
  const whole = { ...(titled && { title }), padding: text ? 1 : 12, ...spec, config } as TopLevelSpec;
  const quiet = logger(errors);
  return new View(parse(compile(whole, { logger: quiet }).spec), { renderer: 'none', logger: quiet });
}

/** @returns an SVG document */
export async function drawSvg(plot: Plot, options: DrawOptions = {}): Promise<string> {
  const view = await openView(plot, options);
  try {
    // Vega escapes what means something in XML; control characters may not be in it at all.
    return printable(await view.toSVG());
  } finally {
    view.finalize();
  }
}

export async function drawPng(plot: Plot, options: DrawOptions = {}): Promise<Buffer> {
  useOwnFonts();
  const svg = await drawSvg(plot, options);
  const { default: sharp } = await import('sharp');
  return sharp(Buffer.from(svg), { density: 72 * SCALE })
    .png()
    .toBuffer();
}

/** Writes `<path>.svg`, `<path>.png` and `<path>.vl.json`, the specification itself with its data. */
export async function draw(plot: Plot, path: string): Promise<void> {
  const [svg, png] = [await drawSvg(plot), await drawPng(plot)];
  writeWhole(`${path}.svg`, svg);
  writeWhole(`${path}.png`, png);
  writeWhole(`${path}.vl.json`, `${JSON.stringify(plot.spec, null, 1)}\n`);
}
