// mtcp status: what became of the trials of an experiment.
import { openExperiment } from '../experiment.js';
import { Ledger } from '../ledger/ledger.js';
import { STATES } from '../ledger/run-folder.js';
import { statusOf, type TrialStatus } from '../ledger/status.js';
import { duration, formatNumber } from '../reporting/numbers.js';
import { textTable, type Column } from '../reporting/table.js';
import { choiceOf, type RunsOptions } from './flags.js';

export function status(file: string, overrides: string[], { runs, json, ...choice }: RunsOptions): void {
  const experiment = openExperiment(file, choiceOf(choice, overrides));
  const trials = statusOf(new Ledger(runs, experiment.trials));
  const counts = Object.fromEntries(
    STATES.map((state) => [state, trials.filter((trial) => trial.state === state).length] as const).filter(
      ([, count]) => count > 0,
    ),
  );
  if (json) {
    const { name, profile: chosen } = experiment;
    process.stdout.write(
      `${JSON.stringify({ experiment: name, profile: chosen, counts, trials }, null, 2)}\n`,
    );
    return;
  }
  const summary = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  const right = (title: string): Column => ({ title, align: 'right' });
  const columns = [
    { title: 'row' },
    right('seed'),
    { title: 'state' },
    right('epoch'),
    right('objective'),
    right('training'),
    right('left'),
    { title: 'last sign' },
    { title: '' },
  ];
  process.stdout.write(
    [
      `${experiment.title}${experiment.profile ? `, profile ${experiment.profile}` : ''}: ${summary.join(', ')}`,
      '',
      textTable(columns, trials.map(cells)),
      '',
    ].join('\n'),
  );
}

function cells(trial: TrialStatus): string[] {
  const { row, seed, state, epoch, epochs, objective, seconds, left, updated, owner, failure } = trial;
  return [
    row,
    String(seed),
    state,
    state === 'queued' ? '' : `${epoch}/${epochs}`,
    objective === null ? '' : formatNumber(objective),
    seconds > 0 ? duration(seconds) : '',
    left ? duration(left) : '',
    updated ? `${duration(Math.max(0, (Date.now() - Date.parse(updated)) / 1000))} ago` : '',
    failure?.split('\n')[0] ?? owner ?? '',
  ];
}
