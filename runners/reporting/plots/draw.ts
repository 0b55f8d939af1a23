// Plots are Vega-Lite specifications, drawn without a browser: as SVG by Vega, as PNG from that by sharp. Vega is
// loaded only when something is drawn.
import { writeWhole } from '../../ledger/files.js';
import type { TopLevelSpec } from 'vega-lite';

export interface Plot {
  /** File name without extension. */
  name: string;
  title: string;
  spec: TopLevelSpec;
}

/** Pixels of the PNG for each unit of the SVG. */
const SCALE = 2;

/** Looks that all plots share. The font is one that SVG renderers find everywhere. */
const CONFIG = {
  background: 'white',
  font: 'DejaVu Sans, Arial, sans-serif',
  axis: { grid: true, gridColor: '#e8e8e8', domainColor: '#888', tickColor: '#888', labelFontSize: 11 },
  view: { stroke: '#ccc' },
  header: { labelFontSize: 12, labelFontWeight: 'bold' },
  legend: { labelFontSize: 12 },
  // Okabe and Ito's colours, which people who see few colours can tell apart.
  range: { category: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] },
} as const;

export async function drawSvg({ title, spec }: Plot): Promise<string> {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const whole = { title, padding: 12, ...spec, config: { ...CONFIG, ...spec.config } } as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Writes `<folder>/<name>.svg` and `.png`. */
export async function draw(plot: Plot, path: string): Promise<void> {
  const svg = await drawSvg(plot);
  const { default: sharp } = await import('sharp');
  const png = await sharp(Buffer.from(svg), { density: 72 * SCALE })
    .png()
    .toBuffer();
  writeWhole(`${path}.svg`, svg);
  writeWhole(`${path}.png`, png);
}
