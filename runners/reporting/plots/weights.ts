// Plots loss weights and losses: a column of panels for each row of the table. The lower panels show each task's
// share of the overall loss relative to the epoch before (the ratio of Eq 4 of the paper): above 1 the task falls
// more slowly than the others.
import type { TopLevelSpec } from 'vega-lite';
import { panelsIn, type Layout } from '../../drawing/layout.js';
import { overSeeds, seedsNote, SOLID } from './curves.js';
import type { Plot } from '../../drawing/draw.js';

/** What an epoch left: by task. */
export interface EpochWeights {
  epoch: number;
  weights: Record<string, number>;
  projected: Record<string, number>;
}

export interface WeightCourse {
  row: string;
  seed: number;
  epochs: readonly EpochWeights[];
}

/** More rows than this are not drawn side by side. */
const COLUMNS = 6;

/** Undefined if no weight ever moved. */
export function weightsPlot(courses: readonly WeightCourse[], layout?: Layout): Plot | undefined {
  const moving = courses.filter(moved);
  if (moving.length === 0) return undefined;
  const rows = [...new Set(moving.map(({ row }) => row))];
  const seeds = moving.map(({ seed }) => seed);
  // The names of the tasks stand right of the panels.
  const room = layout && { ...layout, total: layout.total - 9 * layout.size };
  const fit = room && panelsIn(room, { count: rows.length, least: 9 * room.size, beyond: room.size });
  const columns = fit?.columns ?? Math.min(rows.length, COLUMNS);
  const size = fit
    ? { width: fit.width, height: Math.round(fit.width * 0.7) }
    : { width: rows.length > 1 ? 210 : 420, height: 200 };
  const panel = (name: string, title: string, level: number) => ({
    data: { name },
    facet: { field: 'row', type: 'nominal', sort: rows, title: null },
    columns,
    // A few rows are compared with each other; many are of kinds too different for one scale.
    resolve: { scale: { y: rows.length > COLUMNS ? 'independent' : 'shared' } },
    spec: {
      ...size,
      layer: [
        {
          mark: { type: 'rule', strokeDash: [4, 3], color: '#777' },
          encoding: { y: { datum: level, type: 'quantitative' } },
        },
        ...overSeeds(new Set(seeds).size, 18, {
          x: {
            field: 'epoch',
            type: 'quantitative',
            axis: { tickMinStep: 1, format: 'd' },
            scale: { nice: false },
          },
          y: { field: 'value', type: 'quantitative', title, scale: { zero: false } },
          color: {
            field: 'task',
            type: 'nominal',
            sort: Object.keys(moving[0].epochs[0].weights),
            legend: SOLID,
          },
        }),
      ],
    },
  });
  const values = {
    weights: moving.flatMap(({ row, seed, epochs }) =>
      epochs.flatMap(({ epoch, weights }) =>
        Object.entries(weights).map(([task, value]) => ({ row, seed, epoch, task, value })),
      ),
    ),
    paces: moving.flatMap(({ row, seed, epochs }) => paces(epochs).map((pace) => ({ row, seed, ...pace }))),
  };
  return {
    name: 'weights',
    title: `Loss weights, and how the shares of the overall loss moved; ${seedsNote(seeds)}`,
    spec: {
      datasets: values,
      vconcat: [panel('weights', 'loss weight', 1), panel('paces', 'share of the loss / epoch before', 1)],
    } as unknown as TopLevelSpec,
  };
}

const moved = ({ epochs }: WeightCourse): boolean =>
  epochs.length > 1 &&
  epochs.some(({ weights }) =>
    Object.entries(weights).some(([task, weight]) => weight !== epochs[0].weights[task]),
  );

/** Each task's share of the sum of losses, over its share in the epoch before. */
export function paces(epochs: readonly EpochWeights[]): { epoch: number; task: string; value: number }[] {
  const share = ({ projected }: EpochWeights, task: string) =>
    projected[task] / Object.values(projected).reduce((a, b) => a + b, 0);
  return epochs.slice(1).flatMap((now, i) =>
    Object.keys(now.projected).flatMap((task) => {
      const value = share(now, task) / share(epochs[i], task);
      return Number.isFinite(value) ? [{ epoch: now.epoch, task, value }] : [];
    }),
  );
}
