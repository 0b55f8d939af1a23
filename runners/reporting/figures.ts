// The plots of a report as figures of a paper: vector pictures of its width, with its font.
import type { Plot } from '../drawing/draw.js';
import type { Layout } from '../drawing/layout.js';
import type { PaperFont } from '../drawing/fonts.js';
import { paperFigure, type PaperFigure } from '../drawing/pdf.js';
import { labelled, type MeasuredRow, type Primary } from './measure.js';
import { costPlot } from './plots/cost.js';
import { trainingCurves } from './plots/training.js';
import { weightsPlot } from './plots/weights.js';
import { weightCourses } from './sections.js';
import type { RowResult } from './row-result.js';

export interface FigureOptions {
  /** Points. */
  width: number;
  /** Of text, points. */
  size: number;
  font: PaperFont;
}

export interface NamedFigure extends PaperFigure {
  name: string;
}

/** @param others plots that have one layout only: those of a search */
export async function paperFigures(
  rows: readonly RowResult[],
  measured: readonly MeasuredRow[],
  primary: Primary,
  others: readonly Plot[],
  options: FigureOptions,
): Promise<NamedFigure[]> {
  const names = new Set(measured.map(({ name }) => name));
  const shown = rows.filter(({ trial }) => names.has(trial.row));
  const courses = weightCourses(shown);
  const all = (layout: Layout): Plot[] =>
    [
      ...trainingCurves(shown, primary, labelled(measured), layout),
      weightsPlot(courses, layout),
      costPlot(measured, layout),
      ...others,
    ].filter((plot) => plot !== undefined);
  const figures: NamedFigure[] = [];
  for (const { name } of all({ total: options.width, size: options.size })) {
    const make = (total: number) => all({ total, size: options.size }).find((plot) => plot.name === name)!;
    figures.push({ name, ...(await paperFigure(make, options)) });
  }
  return figures;
}
