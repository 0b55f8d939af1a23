// A network as a picture: sections from left to right, a lane for each task, and the maps between them. A part that
// tasks share is one box across all lanes; it is filled if tasks exchange features in it.
import { xmlText } from '../support/escape.js';
import type { Flow, FlowSection } from '../model/flow.js';

const LANE = 74;
const BOX = 176;
const GAP = 118;
const LAST = 78;
const TOP = 56;
const COLOURS = ['#2f6db5', '#c2571a', '#3c8d40', '#8a4fa3', '#a8871f', '#1d8a8a'];
const TITLES: Record<string, string> = {
  backbone: 'Backbone',
  decoder: 'Decoder',
  fusion: 'Fusion',
  interaction: 'Interaction',
  refinement: 'Refinement',
  heads: 'Heads',
};

export function flowSvg({ image, tasks, sections }: Flow, title: string): string {
  const height = TOP + Math.max(2, tasks.length) * LANE + 40;
  const left = (i: number) => 96 + i * (BOX + GAP);
  const width = left(sections.length - 1) + BOX + LAST + 16;
  const middle = TOP + (tasks.length * LANE) / 2;
  const parts = [
    text(12, 24, title, { size: 17, weight: 600 }),
    text(12, middle - 8, 'image', { size: 13 }),
    text(12, middle + 10, image.join(' × '), { size: 11, fill: '#666' }),
    line(84, middle, left(0), '#555'),
  ];
  sections.forEach((section, i) => {
    parts.push(box(section, left(i), tasks));
    parts.push(arrows(section, left(i) + BOX, i === sections.length - 1, tasks));
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>',
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function box(
  { name, types, parameters, predictions, exchanges }: FlowSection,
  x: number,
  tasks: string[],
): string {
  const [y, h] = [TOP, tasks.length * LANE - 14];
  const fill = exchanges ? '#fdeecb' : name === 'backbone' ? '#e7eef7' : '#f4f4f4';
  const inner = types.length > 1 ? types.slice(1) : [];
  const lines = [
    text(x + 12, y + 22, TITLES[name] ?? name, { size: 14, weight: 600 }),
    text(x + 12, y + 40, types[0], { size: 13 }),
    ...inner.map((type, i) => text(x + 22, y + 57 + 16 * i, `· ${type}`, { size: 12, fill: '#333' })),
    text(x + 12, y + h - 10, `${parameters.toLocaleString('en')} parameters`, { size: 11, fill: '#666' }),
  ];
  if (predictions > 0) {
    const what = `${predictions} supervised prediction${predictions === 1 ? '' : 's'} a task`;
    lines.push(
      `<path d="M${x + BOX / 2} ${y + h}v16" stroke="#888" stroke-dasharray="3 3" fill="none" marker-end="url(#tip)"/>`,
      text(x + 12, y + h + 30, what, { size: 11, fill: '#666' }),
    );
  }
  return `<g><rect x="${x}" y="${y}" width="${BOX}" height="${h}" rx="6" fill="${fill}" stroke="#999"/>${lines.join('')}</g>`;
}

/** What leaves a section: one arrow if all tasks share it, otherwise one in each lane. */
function arrows({ maps, shared }: FlowSection, x: number, last: boolean, tasks: string[]): string {
  const label = (levels: number[][], y: number, fill: string): string => {
    const texts = levels.map((shape) => shape.join('×'));
    const shown = texts.length > 4 ? [...texts.slice(0, 3), `and ${texts.length - 3} more`] : texts;
    return shown.map((line, i) => text(x + 8, y + 12 + 11 * i, line, { size: 9.5, fill })).join('');
  };
  const end = x + (last ? LAST : GAP);
  if (shared) {
    const y = TOP + (tasks.length * LANE) / 2 - 18;
    return line(x, y, end, '#555') + label(maps[tasks[0]], y, '#444');
  }
  return tasks
    .map((task, t) => {
      const colour = COLOURS[t % COLOURS.length];
      const y = TOP + t * LANE + 16;
      const name = text(x + 8, y - 5, task, { size: 11, fill: colour, weight: 600 });
      return line(x, y, end, colour) + name + label(maps[task], y, '#444');
    })
    .join('');
}

interface TextStyle {
  size: number;
  fill?: string;
  weight?: number;
}

function text(
  x: number,
  y: number,
  content: string,
  { size, fill = '#111', weight = 400 }: TextStyle,
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" font-weight="${weight}">${xmlText(content)}</text>`;
}

function line(x1: number, y: number, x2: number, stroke: string): string {
  return `<path d="M${x1} ${y}H${x2 - 2}" stroke="${stroke}" stroke-width="1.6" fill="none" marker-end="url(#tip)"/>`;
}
