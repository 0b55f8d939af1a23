// Makes reports from a folder of runs. Nothing is trained and no data set is read.
import { join } from 'node:path';
import type { Experiment, LatexConfig } from '../config/index.js';
import { storedConstant } from '../training/data-sources.js';
import { openExperiment, type OpenOptions } from '../config/open.js';
import { primaryMetrics } from '../model/primary-metrics.js';
import { Ledger, type LedgerOptions } from '../store/ledger/ledger.js';
import { htmlReport } from '../reporting/html/content.js';
import { paperFigures, type FigureOptions, type NamedFigure } from '../reporting/figures.js';
import { methodsOf, type Methods } from '../reporting/paper/methods.js';
import { bibliography } from '../reporting/paper/references.js';
import type { RowResult } from '../reporting/row-result.js';
import { buildReport, type Report } from '../reporting/report.js';

export interface ReportOptions extends OpenOptions {
  /** Folder of all runs. */
  runs: string;
  ledger?: LedgerOptions;
  /** Instead of what the file's `report.latex` says. */
  latex?: LatexConfig;
}

export interface ExperimentReport extends Report {
  experiment: Experiment;
  rows: readonly RowResult[];
  /** Folder of the experiment's runs. */
  folder: string;
  /** The report as one page that needs nothing else. */
  html(): Promise<string>;
  /** What the components of the rows are from. */
  bibtex(): string;
  /** What a paper says about how the numbers were made. */
  methods(): Methods;
  /** The plots as vector pictures for a paper. */
  figures(options: FigureOptions): Promise<NamedFigure[]>;
}

/** @throws MtcpError if the experiment file is not in order */
export function reportExperiment(file: string, options: ReportOptions): ExperimentReport {
  const experiment = openExperiment(file, options);
  const { name, trials } = experiment;
  const ledger = new Ledger(options.runs, trials, options.ledger);
  const rows = rowsOf(ledger);
  const folder = join(options.runs, name);
  const primary = primaryMetrics(trials);
  const damaged: string[] = [];
  const constant = storedConstant(folder, rows, (message) => damaged.push(`${message}; it is left out`));
  const report = buildReport(experiment, rows, constant, primary, damaged, options.latex);
  return {
    ...report,
    experiment,
    rows,
    folder,
    html: () => htmlReport(experiment, rows, report, primary),
    bibtex: () => bibliography(experiment),
    methods: () => methodsOf(experiment, rows),
    figures: (figure) =>
      paperFigures(
        rows,
        report.measured,
        primary,
        report.plots.filter(({ name }) => name.startsWith('search-')),
        figure,
      ),
  };
}

export const rowsOf = (ledger: Ledger): RowResult[] =>
  ledger.entries.map((entry) => ({
    trial: entry.trial,
    state: ledger.state(entry),
    folder: entry.folder.path,
    result: entry.folder.result(),
    damaged: entry.folder.faults(),
  }));
