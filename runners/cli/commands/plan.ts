// mtcp plan: what a run would do, without doing it.
import type { Command } from 'commander';
import { differences, fittedText } from '../../config/index.js';
import { isBatchLauncher } from '../../../registry/contracts/launching.js';
import type { Duration } from '../../app/durations.js';
import { MtcpError } from '../../../registry/errors.js';
import { RunFolder } from '../../store/ledger/run-folder.js';
import { DATA, JSON_DOCUMENT, RUNS, choiceOf, experimentCommand, type RunsOptions } from '../flags.js';
import { changeText, dependencyLines, planTable } from '../plan-text.js';
import { tellWarnings } from '../warnings.js';

export function declare(command: Command): void {
  experimentCommand(command)
    .description(
      'Shows what a run would do, without training: rows and what they change, sizes, memory, times, and what is done already. Records every network on shapes alone, so that all faults of the file are found.',
    )
    .option(...RUNS)
    .option(...DATA)
    .option('--device <name>', 'estimate times for a device that is not here, from its data sheet: h100')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp plan experiments/table3.yaml
  mtcp plan experiments/table3.yaml --profile full --device h100          with times for this device
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
  const { otherCodeNote } = await import('../../app/other-code.js');
  const { checkGradients } = await import('../../app/check-gradients.js');
  const { inspect } = await import('../../training/inspect.js');
  const { durationOf, Speeds, targetOf } = await import('../../app/durations.js');
  const { createLauncher, launcherSlot, siteHere } = await import('../../launching/index.js');
  const { processesIn, requireShared } = await import('../../launching/processes.js');
  const { dividedAmong } = await import('../../engine/speed.js');
  const experiment = openExperiment(file, { ...choiceOf(choice, overrides), data: root, runs });
  tellWarnings(experiment.warnings);
  for (const fitted of experiment.fitted) process.stderr.write(`${fittedText(fitted)}\n`);
  const trials = experiment.needed;
  const note = otherCodeNote(runs, trials);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  await checkTrials(experiment, trials);
  await checkGradients(experiment, trials);
  const launcher = createLauncher(launcherSlot(experiment, { site: siteHere() }));
  const isLocal = !isBatchLauncher(launcher);
  const processes = processesIn({}, launcher);
  requireShared(trials, processes, { isLocal });
  // Processes of one machine share its cores: a step takes no less arithmetic.
  const nodes = isLocal ? 1 : processes;
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
      durations.set(trial.row, await durationOf(trial, size, dividedAmong(speed, nodes)));
      const several = nodes === 1 ? '' : `, each of ${nodes} nodes, without what they exchange`;
      devices.add(`Times are for ${of}${several}; one trial at a time, without evaluations.`);
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
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const out = [
    `${experiment.title}${experiment.profile ? `, profile ${experiment.profile}` : ''}`,
    `data ${data.type}, images of ${(augment.size as number[] | undefined)?.join('x') ?? "the pipeline's size"}, ${train.epochs} ${train.epochs === 1 ? 'epoch' : 'epochs'}, batch ${train.batch}`,
    '',
    planTable(planned, width),
    ...dependencyLines(planned),
    ...(devices.size > 0 ? ['', ...devices] : []),
  ];
  if (changed.length > 0) out.push('', 'What the rows change:', ...changed.map(changeText));
  process.stdout.write(`${out.join('\n')}\n`);
}
