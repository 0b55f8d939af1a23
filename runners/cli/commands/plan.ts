// mtcp plan: what a run would do, without doing it.
import type { Command } from 'commander';
import { differences, fittedText, inShort, type Difference } from '../../config/index.js';
import type { Duration } from '../../app/durations.js';
import { MtcpError } from '../../../registry/errors.js';
import { duration } from '../../reporting/numbers.js';
import { textTable, type Column } from '../../reporting/table.js';
import { RunFolder } from '../../store/ledger/run-folder.js';
import { DATA, JSON_DOCUMENT, RUNS, choiceOf, experimentCommand, type RunsOptions } from '../flags.js';
import { tellWarnings } from '../warnings.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .option(...RUNS)
    .option(...DATA)
    .option('--device <name>', 'times for a device that is not here, from its data sheet: h100')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp plan experiments/table3.yaml
  mtcp plan experiments/table3.yaml --profile full --device h100          how long it would take there
  mtcp plan experiments/table3.yaml --profile full --row "MT-CP" --json`,
    )
    .action(plan);
}

async function plan(
  file: string,
  overrides: string[],
  { runs, json, data: root, device, ...choice }: RunsOptions & { data?: string; device?: string },
): Promise<void> {
  await import('../../../modules/index.js');
  const { openExperiment } = await import('../../config/open.js');
  const { checkTrials } = await import('../../model/check.js');
  const { inspect } = await import('../../training/inspect.js');
  const { durationOf, Speeds, targetOf } = await import('../../app/durations.js');
  const experiment = openExperiment(file, { ...choiceOf(choice, overrides), data: root, runs });
  tellWarnings(experiment.warnings);
  for (const fitted of experiment.fitted) process.stderr.write(`${fittedText(fitted)}\n`);
  const trials = experiment.needed;
  await checkTrials(experiment, trials);
  // Seeds of a row have one network.
  const sizes = new Map<string, Awaited<ReturnType<typeof inspect>>>();
  const durations = new Map<string, Duration>();
  const speeds = new Speeds(device);
  const devices = new Set<string>();
  for (const trial of trials) {
    if (sizes.has(trial.row)) continue;
    const size = await inspect(trial, targetOf(trial, device));
    sizes.set(trial.row, size);
    try {
      const { speed, of } = await speeds.of(trial);
      durations.set(trial.row, await durationOf(trial, size, speed));
      devices.add(`Times are for ${of}; one trial at a time, without evaluations.`);
    } catch (error) {
      // What the engine lacks is told when the rows are to run; a plan does without.
      if (!MtcpError.is(error, 'engine')) throw error;
      devices.add(`No times: ${error.message}.`);
    }
  }
  const planned = trials.map((trial) => {
    const folder = new RunFolder(runs, trial);
    const { parameters, nodes, memory, sections } = sizes.get(trial.row)!;
    return {
      row: trial.row,
      seed: trial.seed,
      state: folder.state(),
      hash: trial.hash,
      parameters,
      nodes,
      memory,
      seconds: durations.get(trial.row) ?? null,
      sections,
      after: [...new Set(Object.values(trial.sources).map(({ row }) => row))],
      folder: folder.path,
    };
  });
  const changed = differences(trials);
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ experiment: experiment.name, profile: experiment.profile, trials: planned, differences: changed, times: [...devices] }, null, 2)}\n`,
    );
    return;
  }
  const { augment, train, data } = trials[0].config;
  const right = (title: string): Column => ({ title, align: 'right' });
  const timed = planned.some(({ seconds }) => seconds !== null);
  const dependent = planned.some(({ after }) => after.length > 0);
  const sections = [...new Set(planned.flatMap((row) => Object.keys(row.sections)))];
  const out = [
    `${experiment.title}${experiment.profile ? `, profile ${experiment.profile}` : ''}`,
    `data ${data.type}, images of ${(augment.size as number[] | undefined)?.join('x') ?? "the pipeline's size"}, ${train.epochs} ${train.epochs === 1 ? 'epoch' : 'epochs'}, batch ${train.batch}`,
    '',
    textTable(
      [
        { title: 'row' },
        right('seed'),
        { title: 'state' },
        right('parameters'),
        ...sections.map(right),
        right('graph nodes'),
        right('memory'),
        ...(timed ? [right('a step'), right('an epoch'), right('training')] : []),
        ...(dependent ? [{ title: 'after' }] : []),
      ],
      planned.map((row) => [
        row.row,
        String(row.seed),
        row.state,
        row.parameters.toLocaleString('en-US'),
        ...sections.map((section) => row.sections[section]?.toLocaleString('en-US') ?? '-'),
        row.nodes.toLocaleString('en-US'),
        `${(row.memory / 1e9).toFixed(1)} GB`,
        ...(timed ? timesOf(row.seconds) : []),
        ...(dependent ? [row.after.join(', ') || '-'] : []),
      ]),
    ),
    '',
    ...devices,
  ];
  if (changed.length > 0) out.push('', 'What the rows change:', ...changed.map(describeChange));
  process.stdout.write(`${out.join('\n')}\n`);
}

function timesOf(seconds: Duration | null): string[] {
  if (!seconds) return ['-', '-', '-'];
  const { step, epoch, training } = seconds;
  const shown = step < 10 ? `${(step * 1000).toFixed(0)} ms` : duration(step);
  return [shown, ...[epoch, training].map((each) => (each === undefined ? '-' : duration(each)))];
}

/** A setting, and under it each of its values with the rows that have it. */
function describeChange({ path, values }: Difference): string {
  const rows = new Map<string, string[]>();
  for (const [row, value] of Object.entries(values)) {
    const shown = inShort(value);
    rows.set(shown, [...(rows.get(shown) ?? []), row]);
  }
  const width = Math.max(...[...rows.keys()].map((value) => value.length));
  const most = [...rows.values()].reduce((a, b) => (b.length > a.length ? b : a));
  const listed = (names: readonly string[]) =>
    names === most && names.length > FEW
      ? `the other ${names.length} rows`
      : names.map((name) => JSON.stringify(name)).join(', ');
  return [
    `  ${path}`,
    ...[...rows].map(([value, names]) => `    ${value.padEnd(width)}  ${listed(names)}`),
  ].join('\n');
}

/** Rows of the most frequent value that are still named. */
const FEW = 2;
