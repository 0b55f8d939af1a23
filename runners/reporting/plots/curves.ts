// Plots curves over epochs: losses, metrics, loss weights. A panel shows all series, each named at the end of its line. More
// series than a panel can show become small multiples: a panel for each series, with all others in grey behind it.
import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from '../../drawing/draw.js';
import { Marks } from '../../drawing/hover.js';
import { panelsIn, widestOf, type Layout } from '../../drawing/layout.js';
import { inColumn, shortened, textWidth } from '../../drawing/labels.js';
import { scaleOf, vegaScale } from '../../drawing/scale.js';
import { COLOURS } from '../../drawing/theme.js';
import { formatNumber } from '../numbers.js';

/** A point of a curve; points of one seed, series and panel make a line. */
export interface CurvePoint {
  epoch: number;
  seed: number;
  value: number;
  /** Colour. */
  series: string;
  /** The row of the table, where `series` is not its name. */
  row?: string;
  /** Panel beside panel. */
  panel?: string;
}

export interface CurveOptions {
  /** File name without extension. */
  name: string;
  title: string;
  /** What the vertical axis shows. */
  y: string;
  /** Panels in a line. */
  columns?: number;
  width?: number;
  height?: number;
  /** Whether panels share the vertical axis; by default they do not. */
  shared?: boolean;
  /** All series that there are, those without points too: the order of their colours. */
  order?: readonly string[];
  /** Room in a paper, in place of columns, width and height. */
  layout?: Layout;
}

/** More series than this are drawn as small multiples. */
export const FEW = 8;
const FONT_SIZE = 10;
/** Least distance of the names at the ends of lines, by their size. */
const LABEL_GAP = 1.2;
/** Between the end of a line and its name. */
const LEAD = 10;
const PADDING = 6;
const SMALL = { width: 170, height: 84, columns: 5 };

export function curves(
  points: readonly CurvePoint[],
  { name, title, y, columns = 3, width = 240, height = 160, shared = false, order, layout }: CurveOptions,
): Plot {
  const drawn = unique(points.map((point) => point.series));
  const series = unique([...(order ?? []), ...drawn]);
  const panels = unique(points.map(({ panel = '' }) => panel));
  const marks = new Marks();
  const wholeRange = shared ? points.map(({ value }) => value) : undefined;
  const size = layout?.size ?? FONT_SIZE;
  const isSmall = drawn.length > FEW;
  const fit = layout && fitIn(layout, isSmall, drawn, panels.length);
  const small = isSmall && fit ? { ...fit, height: Math.round(fit.width * 0.6) } : SMALL;
  const wide = fit ? { width: fit.width, height: Math.round(fit.width * 0.75) } : { width, height };
  const drawing: Drawing = { y, series, marks, domain: wholeRange, size };
  const blocks = panels.map((panel) => {
    const own = points.filter((point) => (point.panel ?? '') === panel);
    return isSmall
      ? multiples(own, panel, { ...drawing, ...small })
      : together(own, panels.length > 1 ? panel : '', { ...drawing, ...wide });
  });
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...(blocks.length === 1
      ? blocks[0]
      : {
          concat: blocks,
          columns: isSmall ? 1 : (fit?.columns ?? columns),
          spacing: { row: 30, column: 24 },
        }),
  };
  return { name, title, marks, spec: spec as unknown as TopLevelSpec };
}

interface Drawing {
  /** Title of the vertical axis. */
  y: string;
  /** All series of the plot, for colours. */
  series: readonly string[];
  marks: Marks;
  /** Of text. */
  size: number;
  /** What the vertical axis spans at least, where panels share it. */
  domain?: readonly number[];
}

interface Sized extends Drawing {
  width: number;
  height: number;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const epochsOf = (points: readonly CurvePoint[]) => points.map(({ epoch }) => epoch);

/** One panel with all series, and their names right of it. */
function together(points: readonly CurvePoint[], title: string, drawing: Sized): object {
  const { width, height, domain, series, marks, size } = drawing;
  const scale = scaleOf(domain ?? points.map(({ value }) => value), height, PADDING);
  const names = unique(points.map((point) => point.series));
  const ends = names.map((name) => endOf(points.filter((point) => point.series === name)));
  const heights = inColumn(
    ends.map(({ value }) => height - scale.at(value)),
    LABEL_GAP * size,
    height,
  );
  const last = Math.max(...epochsOf(points));
  const labels = names.map((name, i) => ({
    series: name,
    label: shortened(name),
    endY: height - scale.at(ends[i].value),
    labelY: heights[i],
    whose: marks.add(`${name} (name)`, { row: ends[i].row ?? name }),
  }));
  const pixels = (field: string) => ({ field, type: 'quantitative', scale: null, axis: null });
  const color = colour(series);
  const description = { field: 'whose', type: 'nominal' };
  const reach = Math.max(...labels.map(({ label }) => textWidth(label, size)));
  return {
    ...(title !== '' && { title: panelTitle(title, size + 1) }),
    width,
    height,
    layer: [
      ...lines(points, { scale, last, drawing }),
      ...(names.length === 1 && series.length === 1
        ? []
        : [
            {
              data: { values: labels },
              mark: { type: 'rule', strokeWidth: 0.7, opacity: 0.7 },
              encoding: {
                x: { value: width + 1 },
                x2: { value: width + LEAD - 2 },
                y: pixels('endY'),
                y2: { field: 'labelY' },
                color,
                description,
              },
            },
            {
              data: { values: labels },
              mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: size },
              encoding: {
                x: { value: width + LEAD },
                y: pixels('labelY'),
                text: { field: 'label', type: 'nominal' },
                color,
                description,
              },
            },
            // Takes the room of the names: Vega does not know how wide text is.
            {
              data: { values: [{}] },
              mark: { type: 'rule', opacity: 0 },
              encoding: {
                x: { value: width },
                x2: { value: width + LEAD + reach },
                y: { value: height },
                y2: { value: height },
              },
            },
          ]),
    ],
  };
}

/** A panel for each series; all others are behind it in grey, on the same axes. */
function multiples(
  points: readonly CurvePoint[],
  title: string,
  drawing: Sized & { columns: number },
): object {
  const { width, height, columns, marks, size } = drawing;
  const scale = scaleOf(drawing.domain ?? points.map(({ value }) => value), height, PADDING);
  const names = unique(points.map((point) => point.series));
  const last = Math.max(...epochsOf(points));
  const behind = meansOf(points).map((point) => ({
    ...point,
    whose: marks.add(`${point.series} (behind)`, { row: point.row ?? point.series }),
  }));
  const panels = names.map((name, i) => ({
    title: { ...panelTitle(shortened(name), size), anchor: 'start', offset: 3 },
    width,
    height,
    layer: [
      {
        data: { values: behind.filter((point) => point.series !== name) },
        mark: { type: 'line', strokeWidth: 0.8, opacity: 0.35, color: '#888888' },
        encoding: {
          x: horizontal(last, i >= names.length - columns),
          y: vertical(scale, i % columns === 0 ? drawing.y : null),
          detail: { field: 'series', type: 'nominal' },
          description: { field: 'whose', type: 'nominal' },
        },
      },
      ...lines(
        points.filter((point) => point.series === name),
        { scale, last, drawing, titles: [i >= names.length - columns, i % columns === 0] },
      ),
    ],
  }));
  return {
    ...(title !== '' && { title: { text: title, anchor: 'start', fontSize: size + 2 } }),
    concat: panels,
    columns,
    spacing: { row: 14, column: 14 },
  };
}

const panelTitle = (text: string, fontSize: number) => ({ text, fontSize, anchor: 'middle' });

/** Panels with names beside them, or small ones with names above them. */
const fitIn = (layout: Layout, isSmall: boolean, names: readonly string[], panels: number) =>
  isSmall
    ? panelsIn(layout, { count: names.length, least: 7 * layout.size, beyond: 4 })
    : panelsIn(layout, {
        count: panels,
        least: 10 * layout.size,
        beyond:
          LEAD +
          widestOf(
            names.map((name) => shortened(name)),
            layout.size,
          ),
      });

const colour = (series: readonly string[]) => ({
  field: 'series',
  type: 'nominal',
  scale: { domain: series, range: series.map((_, i) => COLOURS[i % COLOURS.length]) },
  legend: null,
});

const horizontal = (last: number, titled = true) => ({
  field: 'epoch',
  type: 'quantitative',
  title: titled ? 'epoch' : null,
  axis: { tickMinStep: 1, format: 'd', tickCount: Math.min(6, last) },
  scale: { nice: false },
});

const vertical = (scale: ReturnType<typeof scaleOf>, title: string | null) => ({
  field: 'value',
  type: 'quantitative',
  title,
  scale: vegaScale(scale),
  axis: { tickCount: 4 },
});

interface LinesOf {
  scale: ReturnType<typeof scaleOf>;
  last: number;
  drawing: Drawing;
  /** Whether the axes have titles: horizontal, vertical. */
  titles?: readonly [boolean, boolean];
}

/** A thin line for each seed and a thick one for their mean, or one line if there is one seed; points to hover over. */
function lines(
  points: readonly CurvePoint[],
  { scale, last, drawing: { y, series, marks }, titles = [true, true] }: LinesOf,
): object[] {
  const seeds = unique(points.map(({ seed }) => seed));
  const color = colour(series);
  const x = horizontal(last, titles[0]);
  const vertically = vertical(scale, titles[1] ? y : null);
  const about = (point: CurvePoint, what: string) => ({
    ...point,
    whose: marks.add(`${point.series}, ${what}`, { row: point.row ?? point.series }),
    about: marks.add(`${point.series}, ${what}, epoch ${point.epoch}: ${formatNumber(point.value)}`, {
      row: point.row ?? point.series,
      text: `${point.series}, ${what}, epoch ${point.epoch}: ${formatNumber(point.value)}`,
    }),
  });
  const means = meansOf(points).map((point) =>
    about(point, seeds.length === 1 ? `seed ${seeds[0]}` : `mean of ${seeds.length} seeds`),
  );
  const line = (values: readonly object[], mark: object, more: object = {}) => ({
    data: { values },
    mark: { type: 'line', ...mark },
    encoding: { x, y: vertically, color, description: { field: 'whose', type: 'nominal' }, ...more },
  });
  const single = unique(epochsOf(points)).length === 1;
  return [
    ...(seeds.length > 1
      ? [
          line(
            points.map((point) => about(point, `seed ${point.seed}`)),
            { strokeWidth: 1, opacity: 0.4 },
            { detail: { field: 'seed', type: 'nominal' } },
          ),
        ]
      : []),
    line(means, {}),
    {
      data: { values: means },
      mark: { type: 'point', filled: true, opacity: 1, size: single ? 60 : 14 },
      encoding: { x, y: vertically, color, description: { field: 'about', type: 'nominal' } },
    },
  ];
}

/** Over seeds. */
function meansOf(points: readonly CurvePoint[]): CurvePoint[] {
  const groups = new Map<string, CurvePoint[]>();
  for (const point of points) {
    const key = JSON.stringify([point.series, point.epoch]);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return [...groups.values()].map((group) => ({
    ...group[0],
    value: group.reduce((sum, { value }) => sum + value, 0) / group.length,
  }));
}

/** The last point of a series' mean. */
const endOf = (points: readonly CurvePoint[]): CurvePoint =>
  meansOf(points).reduce((last, point) => (point.epoch >= last.epoch ? point : last));

/** Legends take the look of the first layer, which is thin and pale. */
export const SOLID = { symbolOpacity: 1, symbolStrokeWidth: 2 };

/**
 * Layers of a plot over epochs: a thin line for each seed and a thick one for their mean, or one line if there is
 * one seed.
 * @param dot size of the points
 */
export function overSeeds(
  seeds: number,
  dot: number,
  encoding: { y: object } & Record<string, object>,
): object[] {
  const mark = { type: 'line', point: { size: dot } };
  if (seeds === 1) return [{ mark, encoding }];
  const each = { type: 'line', strokeWidth: 1, opacity: 0.4 };
  return [
    { mark: each, encoding: { ...encoding, detail: { field: 'seed', type: 'nominal' } } },
    { mark, encoding: { ...encoding, y: { ...encoding.y, aggregate: 'mean' } } },
  ];
}

/** For titles. */
export function seedsNote(seeds: readonly number[]): string {
  const all = [...new Set(seeds)].sort((a, b) => a - b);
  return all.length === 1 ? `seed ${all[0]}` : `mean (thick) and each of the seeds ${all.join(', ')} (thin)`;
}
