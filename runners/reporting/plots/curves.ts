// Plots curves over epochs: losses, metrics, loss weights. All of them share one specification; they differ in the
// values and in what the panels stand for.
import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from '../../drawing/draw.js';

/** A point of a curve; points of one seed, series and panel make a line. */
export interface CurvePoint {
  epoch: number;
  seed: number;
  value: number;
  /** Colour. */
  series: string;
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
}

export function curves(
  points: readonly CurvePoint[],
  { name, title, y, columns = 3, width = 240, height = 160, shared = false }: CurveOptions,
): Plot {
  const unique = (key: 'series' | 'panel') => [...new Set(points.map((point) => point[key]))];
  const panels = unique('panel').filter((panel) => panel !== undefined);
  const single = new Set(points.map(({ epoch }) => epoch)).size === 1;
  const lines = overSeeds(new Set(points.map(({ seed }) => seed)).size, single ? 60 : 12, {
    x: {
      field: 'epoch',
      type: 'quantitative',
      title: 'epoch',
      axis: { tickMinStep: 1, format: 'd', tickCount: 6 },
    },
    y: { field: 'value', type: 'quantitative', title: y, scale: { zero: false }, axis: { tickCount: 5 } },
    color: {
      field: 'series',
      type: 'nominal',
      title: null,
      sort: unique('series'),
      legend: unique('series').length === 1 ? null : SOLID,
    },
  });
  const base = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    data: { values: points },
  };
  const spec =
    panels.length > 1
      ? {
          ...base,
          facet: { field: 'panel', type: 'nominal', title: null, sort: panels },
          columns,
          bounds: 'flush',
          spacing: { row: 70, column: 60 },
          spec: { width, height, layer: lines },
          resolve: { scale: { y: shared ? 'shared' : 'independent' }, axis: { x: 'independent' } },
        }
      : { ...base, width, height, layer: lines };
  return { name, title, spec: spec as unknown as TopLevelSpec };
}

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
