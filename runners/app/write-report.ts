// Writes the report of a run, even if some of its rows failed. Each part is made separately: a part that fails is
// reported and does not affect the others.
import { join } from 'node:path';
import type { Measured } from '../../registry/contracts/learning.js';
import { messageOf } from '../../registry/errors.js';
import type { Experiment, TrialSpec } from '../config/index.js';
import { draw } from '../drawing/draw.js';
import { htmlReport } from '../reporting/html/content.js';
import type { RowResult } from '../reporting/row-result.js';
import { primaryMetrics } from '../model/primary-metrics.js';
import { buildReport, type Report } from '../reporting/report.js';
import { writeWhole } from '../support/files.js';

export interface WriteOptions {
  /** Folder of the experiment's runs. */
  folder: string;
  /** All trials, those that others depend on among them. */
  trials: readonly TrialSpec[];
  /** Scores of the constant predictor. */
  constant: Measured;
  /** Also write report.html. */
  page: boolean;
  /** Takes what could not be made, and why. */
  warn(message: string): void;
}

/** What of a report could not be written; pictures and the page can be missed. */
export interface Written {
  report: Report;
  missing: string[];
}

/** Writes report.md, report.json, the plots and perhaps report.html. */
export async function writeReport(
  experiment: Experiment,
  rows: readonly RowResult[],
  { folder, trials, constant, page, warn }: WriteOptions,
): Promise<Written> {
  const primary = primaryMetrics(trials);
  const report = buildReport(experiment, rows, constant, primary);
  const missing: string[] = [];
  const attempt = async (what: string, make: () => unknown): Promise<void> => {
    try {
      await make();
    } catch (error) {
      missing.push(what);
      warn(`no ${what}: ${messageOf(error)}`);
    }
  };
  await attempt('report.md', () => writeWhole(join(folder, 'report.md'), report.markdown));
  await attempt('report.json', () =>
    writeWhole(join(folder, 'report.json'), `${JSON.stringify(report.json, null, 2)}\n`),
  );
  for (const { what, error } of report.faults) await attempt(what, () => Promise.reject(error as Error));
  for (const plot of report.plots)
    await attempt(`picture ${plot.name}`, () => draw(plot, join(folder, plot.name)));
  if (page)
    await attempt('report.html', async () =>
      writeWhole(join(folder, 'report.html'), await htmlReport(experiment, rows, report, primary)),
    );
  return { report, missing };
}
