// Plots the gain over single tasks against cost: a panel each for parameters, arithmetic and time. Labels stand beside their
// points and move apart where points are close.
import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from '../../drawing/draw.js';
import { Marks } from '../../drawing/hover.js';
import { besidePoints, shortened } from '../../drawing/labels.js';
import { scaleOf, vegaScale, type Scale } from '../../drawing/scale.js';
import { panelsIn, type Layout } from '../../drawing/layout.js';
import { labelled, type MeasuredRow } from '../measure.js';
import { compact, signed } from '../numbers.js';

interface Cost {
  field: string;
  title: string;
  of(row: MeasuredRow): number | undefined;
  text(cost: number): string;
}

const COSTS: readonly Cost[] = [
  {
    field: 'parameters',
    title: 'parameters',
    of: ({ parameters }) => parameters,
    text: (cost) => `${compact(cost)} parameters`,
  },
  {
    field: 'flops',
    title: 'FLOPs of a forward pass, one image',
    of: ({ flops }) => flops,
    text: (cost) => `${compact(cost)} FLOPs`,
  },
  {
    field: 'step',
    title: 'training step, ms',
    of: ({ secondsPerStep }) => secondsPerStep && secondsPerStep * 1000,
    text: (cost) => `${cost.toFixed(0)} ms a step`,
  },
];

/** Costs further apart than this share a logarithmic axis. */
const WIDE = 6;

const WIDTH = 300;
/** Rows that a panel of this height has room for; more make it higher. */
const FEW = 10;
const HEIGHT = 280;
const FONT_SIZE = 10.5;
/** Labels may reach so far beyond their panel. */
const MARGIN = 60;

/** Undefined if fewer than two rows have a delta-m. */
export function costPlot(measured: readonly MeasuredRow[], layout?: Layout): Plot | undefined {
  const rows = measured.filter(({ delta }) => delta !== undefined);
  if (rows.length < 2) return undefined;
  const known = COSTS.filter(({ of }) => rows.every((row) => (of(row) ?? 0) > 0));
  // A cost that all rows share compares nothing, as parameters of one network under many schemes.
  const differing = known.filter(({ of }) => new Set(rows.map(of)).size > 1);
  const shown = differing.length > 0 ? differing : known;
  if (shown.length === 0) return undefined;
  const label = labelled(measured);
  const marks = new Marks();
  const size = layout?.size ?? FONT_SIZE;
  const margin = layout ? 4 * size : MARGIN;
  const { columns, width } = layout
    ? panelsIn(layout, { count: shown.length, least: 18 * size, beyond: margin })
    : { columns: shown.length, width: WIDTH };
  const height = (layout ? width : HEIGHT) + Math.max(0, rows.length - FEW) * 1.3 * size;
  const deltas = rows.flatMap(({ delta, deltaDeviation = 0 }) => [
    delta! - deltaDeviation,
    delta! + deltaDeviation,
  ]);
  const y = scaleOf([...deltas, 0], height, 2 * size);
  const seeds = rows.some(({ deltaDeviation }) => deltaDeviation !== undefined)
    ? '; bars: standard deviation over seeds'
    : '';
  return {
    name: 'cost',
    title: `delta-m against cost${seeds}${rows.some(({ name }) => label(name) !== name) ? '; letters: conditions as in the table' : ''}`,
    marks,
    spec: {
      spacing: margin + 2 * size,
      columns,
      // All rows, so that a row has the colour that it has in the curves.
      concat: shown.map((cost, i) =>
        panel(cost, {
          rows,
          label,
          marks,
          y,
          height,
          width,
          size,
          margin,
          colours: measured.map(({ name }) => label(name)),
          first: i % columns === 0,
        }),
      ),
    } as unknown as TopLevelSpec,
  };
}

interface PanelOf {
  rows: readonly MeasuredRow[];
  label(row: string): string;
  marks: Marks;
  y: Scale;
  height: number;
  width: number;
  /** Of text. */
  size: number;
  /** Right of the panel. */
  margin: number;
  colours: readonly string[];
  first: boolean;
}

function panel(
  { field, title, of, text }: Cost,
  { rows, label, marks, y, height, width, size, margin, colours, first }: PanelOf,
): object {
  const costs = rows.map((row) => of(row)!);
  const x = scaleOf(costs, width, 0.08 * width, Math.max(...costs) > WIDE * Math.min(...costs));
  const points = rows.map(({ name, delta }, i) => ({
    x: x.at(costs[i]),
    y: height - y.at(delta!),
    text: shortened(label(name)),
  }));
  const places = besidePoints(points, { width, height, margin, size });
  const values = rows.map(({ name, delta, deltaDeviation }, i) => ({
    row: label(name),
    delta,
    ...(deltaDeviation !== undefined && { low: delta! - deltaDeviation, high: delta! + deltaDeviation }),
    [field]: costs[i],
    label: points[i].text,
    labelX: places[i].x,
    labelY: places[i].y,
    ...(places[i].led && {
      lineX: lineEnd(points[i].x, places[i].x),
      pointX: points[i].x,
      pointY: points[i].y,
    }),
    about: marks.add(`${label(name)}: delta-m ${signed(delta!)} %, ${text(costs[i])}`, {
      row: name,
      text: `${label(name)}: delta-m ${signed(delta!)} %, ${text(costs[i])}`,
    }),
    whose: marks.add(`${label(name)} (label)`, { row: name }),
  }));
  const horizontal = {
    field,
    type: 'quantitative',
    title,
    scale: vegaScale(x),
    axis: { format: field === 'step' ? 'd' : '~s', tickCount: 5, labelOverlap: true },
  };
  const vertical = {
    field: 'delta',
    type: 'quantitative',
    title: first ? 'delta-m %' : null,
    scale: vegaScale(y),
  };
  const color = { field: 'row', type: 'nominal', scale: { domain: colours }, legend: null };
  const pixels = (name: string) => ({ field: name, type: 'quantitative', scale: null, axis: null });
  const description = { field: 'whose', type: 'nominal' };
  return {
    data: { values },
    width,
    height,
    layer: [
      {
        mark: { type: 'rule', strokeDash: [4, 3], color: '#777' },
        encoding: { y: { datum: 0, type: 'quantitative', scale: vegaScale(y) } },
      },
      {
        transform: [{ filter: 'isValid(datum.low)' }],
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
        encoding: {
          x: horizontal,
          y: { ...vertical, field: 'low' },
          y2: { field: 'high' },
          color,
          description,
        },
      },
      {
        transform: [{ filter: 'isValid(datum.lineX)' }],
        mark: { type: 'rule', strokeWidth: 0.7, opacity: 0.7 },
        encoding: {
          x: pixels('pointX'),
          y: pixels('pointY'),
          x2: { field: 'lineX' },
          y2: { field: 'labelY' },
          color,
          description,
        },
      },
      {
        mark: { type: 'point', filled: true, size: 0.55 * size * size, opacity: 1 },
        encoding: { x: horizontal, y: vertical, color, description: { field: 'about', type: 'nominal' } },
      },
      {
        mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: size },
        encoding: {
          x: pixels('labelX'),
          y: pixels('labelY'),
          color,
          text: { field: 'label', type: 'nominal' },
          description,
        },
      },
    ],
  };
}

/** Where a line from the point meets its label. */
const lineEnd = (point: number, label: number): number => (label > point ? label - 2 : label + 4);
