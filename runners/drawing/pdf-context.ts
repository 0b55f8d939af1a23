// The canvas that Vega draws on, as far as its marks need one, writing into a PDF. A canvas moves the points of a path when they
// are added, and keeps the path after filling it; a PDF does neither. So transformations are applied here, and the path is
// kept and written for each use.
import type { PaperFont } from './fonts.js';

/** What is used of a document of pdfkit. */
export type PdfDocument = PDFKit.PDFDocument;

type Command = (document: PdfDocument) => void;

/** x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

interface State {
  fillStyle: string;
  strokeStyle: string;
  globalAlpha: number;
  lineWidth: number;
  lineCap: 'butt' | 'round' | 'square';
  lineJoin: 'miter' | 'round' | 'bevel';
  miterLimit: number;
  dash: number[];
  font: string;
  textAlign: string;
  matrix: Matrix;
}

const START: State = {
  fillStyle: '#000',
  strokeStyle: '#000',
  globalAlpha: 1,
  lineWidth: 1,
  lineCap: 'butt',
  lineJoin: 'miter',
  miterLimit: 10,
  dash: [],
  font: '10px sans-serif',
  textAlign: 'left',
  matrix: [1, 0, 0, 1, 0, 0],
};

export class PdfContext {
  #state: State = { ...START };
  readonly #stack: State[] = [];
  #path: Command[] = [];

  constructor(
    private readonly document: PdfDocument,
    private readonly fonts: PaperFont,
  ) {}

  set fillStyle(value: string) {
    this.#state.fillStyle = colourOf(value);
  }
  set strokeStyle(value: string) {
    this.#state.strokeStyle = colourOf(value);
  }
  get globalAlpha(): number {
    return this.#state.globalAlpha;
  }
  set globalAlpha(value: number) {
    this.#state.globalAlpha = value;
  }
  set lineWidth(value: number) {
    this.#state.lineWidth = value;
  }
  set lineCap(value: State['lineCap']) {
    this.#state.lineCap = value;
  }
  set lineJoin(value: State['lineJoin']) {
    this.#state.lineJoin = value;
  }
  set miterLimit(value: number) {
    this.#state.miterLimit = value;
  }
  set font(value: string) {
    this.#state.font = value;
  }
  set textAlign(value: string) {
    this.#state.textAlign = value;
  }

  save(): void {
    this.#stack.push({ ...this.#state, dash: [...this.#state.dash] });
    this.document.save();
  }
  restore(): void {
    this.#state = this.#stack.pop() ?? { ...START };
    this.document.restore();
  }
  translate(x: number, y: number): void {
    this.#transform([1, 0, 0, 1, x, y]);
  }
  scale(x: number, y: number): void {
    this.#transform([x, 0, 0, y, 0, 0]);
  }
  /** @param angle radians */
  rotate(angle: number): void {
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    this.#transform([cos, sin, -sin, cos, 0, 0]);
  }
  #transform([a, b, c, d, e, f]: Matrix): void {
    const [A, B, C, D, E, F] = this.#state.matrix;
    this.#state.matrix = [
      A * a + C * b,
      B * a + D * b,
      A * c + C * d,
      B * c + D * d,
      A * e + C * f + E,
      B * e + D * f + F,
    ];
  }
  /** Pairs of coordinates on the page. */
  #placed(...points: number[]): number[] {
    const [a, b, c, d, e, f] = this.#state.matrix;
    const placed = [];
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i], points[i + 1]];
      placed.push(a * x + c * y + e, b * x + d * y + f);
    }
    return placed;
  }
  /** Of lengths: Vega scales both directions alike. */
  get #factor(): number {
    const [a, b] = this.#state.matrix;
    return Math.hypot(a, b);
  }

  beginPath(): void {
    this.#path = [];
  }
  closePath(): void {
    this.#path.push((document) => document.closePath());
  }
  moveTo(x: number, y: number): void {
    const [px, py] = this.#placed(x, y);
    this.#path.push((document) => document.moveTo(px, py));
  }
  lineTo(x: number, y: number): void {
    const [px, py] = this.#placed(x, y);
    this.#path.push((document) => document.lineTo(px, py));
  }
  bezierCurveTo(...points: [number, number, number, number, number, number]): void {
    const placed = this.#placed(...points) as typeof points;
    this.#path.push((document) => document.bezierCurveTo(...placed));
  }
  quadraticCurveTo(...points: [number, number, number, number]): void {
    const placed = this.#placed(...points) as typeof points;
    this.#path.push((document) => document.quadraticCurveTo(...placed));
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.moveTo(x, y);
    this.lineTo(x + width, y);
    this.lineTo(x + width, y + height);
    this.lineTo(x, y + height);
    this.closePath();
  }

  /** Arcs of at most a quarter as cubic curves, whose radius is off by less than 0.03 %. */
  arc(x: number, y: number, radius: number, from: number, to: number, backwards = false): void {
    let sweep = backwards ? Math.min(0, to - from) : Math.max(0, to - from);
    sweep = Math.max(-2 * Math.PI, Math.min(2 * Math.PI, sweep));
    const parts = Math.max(1, Math.ceil(Math.abs(sweep) / (Math.PI / 2) - 1e-9));
    const step = sweep / parts;
    const reach = (4 / 3) * Math.tan(step / 4) * radius;
    const start: [number, number] = [x + radius * Math.cos(from), y + radius * Math.sin(from)];
    if (this.#path.length === 0) this.moveTo(...start);
    else this.lineTo(...start);
    for (let part = 0; part < parts; part++) {
      const [a, b] = [from + part * step, from + (part + 1) * step];
      this.bezierCurveTo(
        x + radius * Math.cos(a) - reach * Math.sin(a),
        y + radius * Math.sin(a) + reach * Math.cos(a),
        x + radius * Math.cos(b) + reach * Math.sin(b),
        y + radius * Math.sin(b) - reach * Math.cos(b),
        x + radius * Math.cos(b),
        y + radius * Math.sin(b),
      );
    }
  }

  setLineDash(dash: number[]): void {
    this.#state.dash = dash;
  }

  fill(): void {
    const { fillStyle, globalAlpha } = this.#state;
    if (this.#path.length === 0 || fillStyle === 'transparent') return;
    this.#trace();
    this.document.fillColor(fillStyle, globalAlpha).fill();
  }
  stroke(): void {
    const { strokeStyle, globalAlpha, lineWidth, lineCap, lineJoin, miterLimit, dash } = this.#state;
    if (this.#path.length === 0 || strokeStyle === 'transparent') return;
    const factor = this.#factor;
    const document = this.document
      .lineWidth(lineWidth * factor)
      .lineCap(lineCap)
      .lineJoin(lineJoin)
      .miterLimit(miterLimit);
    if (dash.length > 0) document.dash(dash[0] * factor, { space: (dash[1] ?? dash[0]) * factor });
    else document.undash();
    document.strokeColor(strokeStyle, globalAlpha);
    this.#trace();
    document.stroke();
  }
  clip(): void {
    this.#trace();
    this.document.clip();
  }
  fillRect(...rectangle: [number, number, number, number]): void {
    this.beginPath();
    this.rect(...rectangle);
    this.fill();
  }

  fillText(text: string, x: number, y: number): void {
    const { fillStyle, globalAlpha, textAlign, matrix } = this.#state;
    const document = this.#inFont();
    const wide = document.widthOfString(text);
    const left =
      textAlign === 'center' ? x - wide / 2 : textAlign === 'right' || textAlign === 'end' ? x - wide : x;
    document.save();
    document.transform(...matrix);
    document
      .fillColor(fillStyle, globalAlpha)
      .text(text, left, y, { lineBreak: false, baseline: 'alphabetic' });
    document.restore();
  }
  measureText(text: string): { width: number } {
    return { width: this.#inFont().widthOfString(text) };
  }

  #inFont(): PdfDocument {
    const { font } = this.#state;
    const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 10);
    const { regular, bold } = this.fonts;
    return this.document.font(/\bbold\b|\b[6-9]00\b/.test(font) ? bold : regular).fontSize(size);
  }

  #trace(): void {
    for (const command of this.#path) command(this.document);
  }
}

/** pdfkit reads #rrggbb and names; of what Vega writes besides, opacity is kept in `globalAlpha`. */
function colourOf(value: string): string {
  const [, r, g, b] = /^rgba?\((\d+), ?(\d+), ?(\d+)/.exec(value) ?? [];
  if (r !== undefined)
    return `#${[r, g, b].map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;
  return /^#[0-9a-f]{8}$/i.test(value) ? value.slice(0, 7) : value;
}
