// A profile as a flame graph: the width of a box is the time of its module, and the boxes below it are its parts.
import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from '../../drawing/draw.js';
import { duration } from '../../reporting/numbers.js';
import type { ModuleCost } from './tree.js';

interface Box {
  name: string;
  path: string;
  /** What colours it: the section of the model. */
  section: string;
  from: number;
  to: number;
  depth: number;
  below: number;
  label: string;
}

const WIDTH = 1100;
const ROW = 22;
/** Pixels of a letter, about. */
const LETTER = 6;
/** Boxes narrower than this are not drawn. */
const NARROWEST = 1.5;

/** @param roots what stands side by side in the top row */
export function flamePlot(title: string, roots: readonly ModuleCost[]): Plot {
  const boxes: Box[] = [];
  const total = roots.reduce((sum, { seconds }) => sum + seconds, 0);
  const visit = (module: ModuleCost, from: number, depth: number, section: string) => {
    const pixels = (module.seconds / total) * WIDTH;
    if (pixels < NARROWEST) return;
    const text = `${module.name} ${duration(module.seconds)}`;
    const fits = [text, module.name].find((candidate) => candidate.length * LETTER + 6 < pixels) ?? '';
    boxes.push({
      name: module.name,
      path: module.path || module.name,
      section,
      from: from * 1000,
      to: (from + module.seconds) * 1000,
      depth,
      below: depth + 1,
      label: fits,
    });
    let at = from;
    for (const child of module.children) {
      visit(child, at, depth + 1, depth === 0 ? child.name : section);
      at += child.seconds;
    }
  };
  let at = 0;
  for (const root of roots) {
    visit(root, at, 0, root.name);
    at += root.seconds;
  }
  const depths = Math.max(...boxes.map(({ below }) => below));
  const y = {
    field: 'depth',
    type: 'quantitative',
    axis: null,
    scale: { domain: [0, depths], reverse: true },
  };
  const x = { field: 'from', type: 'quantitative', title: 'milliseconds of a step', scale: { nice: false } };
  const spec = {
    width: WIDTH,
    height: depths * ROW,
    data: { values: boxes },
    layer: [
      {
        mark: { type: 'rect', stroke: '#fff', strokeWidth: 0.7 },
        encoding: {
          x,
          x2: { field: 'to' },
          y,
          y2: { field: 'below' },
          color: { field: 'section', type: 'nominal', legend: null, scale: { scheme: 'set3' } },
          description: { field: 'path' },
        },
      },
      {
        mark: {
          type: 'text',
          align: 'left',
          baseline: 'middle',
          dx: 3,
          fontSize: 10,
          color: '#111',
          clip: true,
        },
        encoding: {
          x,
          y: {
            field: 'middle',
            type: 'quantitative',
            axis: null,
            scale: { domain: [0, depths], reverse: true },
          },
          text: { field: 'label' },
        },
        transform: [{ calculate: 'datum.depth + 0.5', as: 'middle' }],
      },
    ],
  };
  return { name: 'profile', title, spec: spec as unknown as TopLevelSpec };
}
