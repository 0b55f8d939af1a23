// Curves of training from the logs of trials: losses by task, and validation metrics.
import { join } from 'node:path';
import type { Plot } from '../../drawing/draw.js';
import type { Layout } from '../../drawing/layout.js';
import { courseOf, readEvents, type LoggedEvent } from '../../store/ledger/events.js';
import { keyOf, type Primary } from '../measure.js';
import type { RowResult } from '../row-result.js';
import { curves, FEW, seedsNote, type CurvePoint } from './curves.js';

/** Losses and metrics over epochs, of all seeds. */
export function trainingCurves(
  rows: readonly RowResult[],
  primary: Primary,
  label: (row: string) => string,
  layout?: Layout,
): Plot[] {
  // All rows, so that a row has the same colour everywhere.
  const order = [...new Set(rows.map(({ trial }) => label(trial.row)))];
  const losses: CurvePoint[] = [];
  const metrics: CurvePoint[] = [];
  for (const { trial, folder } of rows) {
    const events = courseOf(readEvents(join(folder, 'events.jsonl')));
    const of = <E extends LoggedEvent['event']>(name: E) =>
      events.filter((event): event is Extract<LoggedEvent, { event: E }> => event.event === name);
    for (const event of of('epoch'))
      for (const [task, value] of Object.entries(event.losses))
        losses.push({
          epoch: event.epoch,
          seed: trial.seed,
          value,
          series: label(trial.row),
          row: trial.row,
          panel: task,
        });
    for (const event of of('evaluated'))
      for (const [task, info] of primary) {
        const value = event.metrics[keyOf(task, info)];
        if (typeof value === 'number')
          metrics.push({
            epoch: event.epoch,
            seed: trial.seed,
            value,
            series: label(trial.row),
            row: trial.row,
            panel: `${task} ${info.name} ${info.unit}`.trim(),
          });
      }
  }
  const finite = (points: CurvePoint[]) => points.filter(({ value }) => Number.isFinite(value));
  const titled = (title: string, points: readonly CurvePoint[]) =>
    `${title}: ${seedsNote(points.map(({ seed }) => seed))}`;
  const drawn = (name: string, title: string, y: string, points: readonly CurvePoint[]): Plot[] => {
    const several = layout !== undefined && new Set(points.map(({ series }) => series)).size > FEW;
    // Small multiples of all tasks would be higher than a page.
    const parts = several ? [...new Set(points.map(({ panel }) => panel!))] : [undefined];
    return parts.map((part) => {
      const own = points.filter(({ panel }) => part === undefined || panel === part);
      const suffix = part === undefined ? '' : `-${part.split(' ')[0].replace(/[^\w-]+/g, '-')}`;
      const about = part === undefined ? '' : `, ${part}`;
      return curves(own, {
        name: `${name}${suffix}`,
        title: titled(`${title}${about}`, own),
        y,
        order,
        layout,
      });
    });
  };
  return [
    ...(losses.length > 0 ? drawn('losses', 'Training losses by task', 'loss', finite(losses)) : []),
    ...(new Set(metrics.map(({ epoch }) => epoch)).size > 1
      ? drawn('metrics', 'Validation metrics', 'metric', finite(metrics))
      : []),
  ];
}
