// Vector pictures for papers: SVG and PDF of an exact width, with text in the font of the paper. PDF is written by pdfkit, on
// which Vega draws as on the canvas of a browser. Fonts are embedded, as publishers ask for.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { printable } from '../support/escape.js';
import type { PaperFont } from './fonts.js';
import { openView, type Plot } from './draw.js';
import { PdfContext } from './pdf-context.js';
import type { PaperText } from './theme.js';

export interface PaperFigure {
  svg: string;
  pdf: Buffer;
  /** Points. */
  width: number;
  height: number;
}

/** What comes with mtcp: DejaVu. */
const SHIPPED = { sans: 'DejaVu Sans', serif: 'DejaVu Serif' } as const;

/**
 * @param name `sans`, `serif`, or the path of a TrueType or OpenType font
 * @throws MtcpError `usage` if it is no font
 */
export async function paperFont(name: string): Promise<PaperFont> {
  const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  if (name === 'sans' || name === 'serif') {
    const family = SHIPPED[name];
    const file = join(fonts, family.replaceAll(' ', ''));
    return { family, regular: `${file}.ttf`, bold: `${file}-Bold.ttf` };
  }
  const where = `argument "--font ${name}"`;
  const hint = `write sans, serif, or the path of a .ttf or .otf file; \`kpsewhich texgyretermes-regular.otf\` finds Times in a LaTeX installation`;
  if (!existsSync(name)) throw new MtcpError('usage', `there is no font "${name}"`, { where, hint });
  try {
    return { family: await familyOf(name), regular: name, bold: name };
  } catch (cause) {
    throw new MtcpError('usage', `"${name}" is not a font that can be embedded`, { where, hint, cause });
  }
}

async function familyOf(path: string): Promise<string> {
  const { default: PDFDocument } = await import('pdfkit');
  const document = new PDFDocument({ autoFirstPage: false }).font(path);
  const { font } = (document as unknown as { _font: { font: { familyName: string } } })._font;
  document.on('data', () => {});
  document.end();
  return font.familyName;
}

/**
 * @param make the plot for a width: of its own accord it need not be that wide
 * @param width points
 * @param size points
 */
export async function paperFigure(
  make: (total: number) => Plot,
  { width, size, font }: { width: number; size: number; font: PaperFont },
): Promise<PaperFigure> {
  // A plot is as wide as its axes and labels make it, which is known when it is drawn.
  const text: PaperText = { family: font.family, size };
  const first = await sizeOf(make(width), text);
  const total = (width * width) / first.width;
  const plot = make(total);
  const drawn = await sizeOf(plot, text);
  const scale = width / drawn.width;
  const height = drawn.height * scale;
  const svg = printable(drawn.svg).replace(
    /^<svg ([^>]*?)width="[^"]*" height="[^"]*"/,
    `<svg $1width="${width}pt" height="${height.toFixed(2)}pt"`,
  );
  return { svg, pdf: await pdfOf(plot, text, { width, height, scale, font }), width, height };
}

async function sizeOf(plot: Plot, text: PaperText): Promise<{ svg: string; width: number; height: number }> {
  const view = await openView(plot, { mode: 'paper', titled: false, text });
  try {
    const svg = await view.toSVG();
    const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)!;
    return { svg, width: Number(width), height: Number(height) };
  } finally {
    view.finalize();
  }
}

async function pdfOf(
  plot: Plot,
  text: PaperText,
  { width, height, scale, font }: { width: number; height: number; scale: number; font: PaperFont },
): Promise<Buffer> {
  const { default: PDFDocument } = await import('pdfkit');
  // The same plot makes the same file.
  const info = { Title: plot.title, Creator: 'mtcp', CreationDate: new Date(0) };
  const document = new PDFDocument({ size: [width, height], margin: 0, info });
  const parts: Buffer[] = [];
  const done = new Promise<void>((resolve, reject) => {
    document.on('data', (part: Buffer) => parts.push(part));
    document.on('end', resolve);
    document.on('error', reject);
  });
  const view = await openView(plot, { mode: 'paper', titled: false, text });
  try {
    await view.toCanvas(scale, { externalContext: new PdfContext(document, font) });
  } finally {
    view.finalize();
    document.end();
  }
  await done;
  return Buffer.concat(parts);
}
