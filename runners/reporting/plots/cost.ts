// Plots the gain over single tasks against cost: a panel each for parameters, arithmetic and time.
import type { TopLevelSpec } from 'vega-lite';
import { labelled, type MeasuredRow } from '../measure.js';
import type { Plot } from '../../drawing/draw.js';

interface Cost {
  field: string;
  title: string;
  of(row: MeasuredRow): number | undefined;
}

const COSTS: readonly Cost[] = [
  { field: 'parameters', title: 'parameters', of: ({ parameters }) => parameters },
  { field: 'flops', title: 'FLOPs of a forward pass, one image', of: ({ flops }) => flops },
  {
    field: 'step',
    title: 'training step, ms',
    of: ({ secondsPerStep }) => secondsPerStep && secondsPerStep * 1000,
  },
];

/** Costs further apart than this share a logarithmic axis. */
const WIDE = 6;

/** Undefined if fewer than two rows have a delta-m. */
export function costPlot(measured: readonly MeasuredRow[]): Plot | undefined {
  const rows = measured.filter(({ delta }) => delta !== undefined);
  if (rows.length < 2) return undefined;
  const label = labelled(measured);
  const values = rows.map((row) => ({
    row: label(row.name),
    delta: row.delta!,
    ...(row.deltaDeviation !== undefined && {
      low: row.delta! - row.deltaDeviation,
      high: row.delta! + row.deltaDeviation,
    }),
    ...Object.fromEntries(COSTS.map(({ field, of }) => [field, of(row) ?? null])),
  }));
  const shown = COSTS.filter(({ of }) => rows.every((row) => (of(row) ?? 0) > 0));
  if (shown.length === 0) return undefined;
  const seeds = values.some((value) => 'low' in value) ? '; bars: standard deviation over seeds' : '';
  return {
    name: 'cost',
    title: `delta-m against cost${seeds}${rows.some(({ name }) => label(name) !== name) ? '; letters: conditions as in the table' : ''}`,
    spec: {
      datasets: { rows: values },
      // Names of the rightmost rows reach beyond their panel.
      spacing: 56,
      // All rows, so that a row has the colour that it has in the curves.
      hconcat: shown.map((cost, i) =>
        panel(
          cost,
          rows,
          measured.map(({ name }) => label(name)),
          i === 0,
        ),
      ),
    } as unknown as TopLevelSpec,
  };
}

function panel(
  { field, title, of }: Cost,
  rows: readonly MeasuredRow[],
  colours: readonly string[],
  first: boolean,
): object {
  const costs = rows.map((row) => of(row)!);
  const isWide = Math.max(...costs) > WIDE * Math.min(...costs);
  const x = {
    field,
    type: 'quantitative',
    title,
    scale: { type: isWide ? 'log' : 'linear', zero: false, nice: false, padding: 24 },
    axis: { format: field === 'step' ? 'd' : '~s', tickCount: 5 },
  };
  const y = { field: 'delta', type: 'quantitative', title: first ? 'delta-m %' : null };
  const colour = { field: 'row', type: 'nominal', scale: { domain: colours }, legend: null };
  return {
    data: { name: 'rows' },
    width: 300,
    height: 280,
    layer: [
      {
        mark: { type: 'rule', strokeDash: [4, 3], color: '#777' },
        encoding: { y: { datum: 0, type: 'quantitative' } },
      },
      {
        transform: [{ filter: 'isValid(datum.low)' }],
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
        encoding: { x, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' }, color: colour },
      },
      { mark: { type: 'point', filled: true, size: 60, opacity: 1 }, encoding: { x, y, color: colour } },
      {
        mark: { type: 'text', align: 'left', dx: 7, fontSize: 10.5 },
        encoding: { x, y, color: colour, text: { field: 'row' } },
      },
    ],
  };
}
