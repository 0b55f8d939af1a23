// mtcp run
import { MtcpError } from '../../registry/errors.js';
import { duration, formatNumber } from '../reporting/report.js';
import { runExperiment, type RunEvent } from '../run.js';
import { Progress, remaining } from './progress.js';

interface Options {
  profile?: string;
  row?: string[];
  seeds?: string;
  runs: string;
  data?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Ended after a checkpoint: EX_TEMPFAIL, so that a wrapper may start the command again. */
const STOPPED = 75;

export async function run(file: string, overrides: string[], options: Options): Promise<void> {
  const progress = new Progress(process.stderr, Boolean(options.quiet || options.json));
  const narrate = narrator(progress);
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
    stopping = true;
    process.stderr.write(
      `\n${signal}: saving a checkpoint after this step and stopping; again to stop at once\n`,
    );
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const outcome = await runExperiment(file, {
      profile: options.profile,
      rows: options.row,
      seeds: parseSeeds(options.seeds),
      overrides,
      runs: options.runs,
      data: options.data,
      stopRequested: () => stopping,
      observe: options.json ? (event) => process.stdout.write(`${JSON.stringify(event)}\n`) : narrate,
    });
    progress.clear();
    if (options.json) process.stdout.write(`${JSON.stringify(outcome.report.json)}\n`);
    else process.stdout.write(`${outcome.report.text}\nruns and report: ${outcome.folder}\n`);
    for (const { row, seed, message } of outcome.failed)
      process.stderr.write(`\nfailed: ${row}, seed ${seed}\n${message}\n`);
    if (outcome.interrupted) {
      process.stderr.write('stopped; the same command goes on from here\n');
      process.exitCode = STOPPED;
    } else if (outcome.failed.length > 0) process.exitCode = 1;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

export function parseSeeds(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  return text.split(',').map((part) => {
    const seed = Number(part);
    if (part.trim() === '' || !Number.isInteger(seed) || seed < 0)
      throw new MtcpError('usage', `"${part}" is not a seed`, {
        where: `argument "--seeds ${text}"`,
        hint: 'whole numbers separated by commas, such as 0,1,2',
      });
    return seed;
  });
}

/** Events as a person wants to read them. */
function narrator(progress: Progress): (event: RunEvent) => void {
  let epochs = { done: 0, secondsPerEpoch: 0 };
  const quietTrials: string[] = [];
  return (event) => {
    switch (event.event) {
      case 'experiment': {
        const left = event.trials.filter(({ state }) => state !== 'done').length;
        progress.line(
          `${event.title}${event.profile ? `, profile ${event.profile}` : ''}: ${event.trials.length} trials, ${left} to do`,
        );
        break;
      }
      case 'preparing':
        progress.state(`${event.what} ${event.done}/${event.total}`, event.done, event.total);
        break;
      case 'data':
        progress.line(
          `data: ${event.caption}, ${event.counts.train} training and ${event.counts.val} validation images (${event.root})`,
        );
        for (const note of event.notes) progress.line(`  ${note}`);
        break;
      case 'trial':
        epochs = { done: 0, secondsPerEpoch: 0 };
        quietTrials.length = 0;
        progress.line(
          `[${event.index}/${event.of}] ${event.row}, seed ${event.seed}${event.state === 'done' ? ': done before' : ''}`,
        );
        break;
      case 'phase':
        progress.state(event.what);
        break;
      case 'compiled':
        progress.state(
          `${event.program} graph: ${event.nodes} nodes, recorded in ${event.recordSeconds.toFixed(1)} s, session in ${event.sessionSeconds.toFixed(1)} s`,
        );
        break;
      case 'model':
        progress.line(
          `  ${event.trained.toLocaleString('en-US')} parameters, ${event.stepsPerEpoch} steps an epoch`,
        );
        break;
      case 'resumed':
        progress.line(`  goes on after step ${event.step}`);
        break;
      case 'step': {
        const left = (event.steps - event.step) * event.secondsPerStep;
        const text = `epoch ${event.epoch}, step ${event.step}/${event.steps}, objective ${formatNumber(event.objective)}, ${(event.secondsPerStep * 1000).toFixed(0)} ms a step, epoch ${remaining(left)}`;
        progress.state(text, event.step, event.steps);
        break;
      }
      case 'epoch': {
        epochs = { done: epochs.done + 1, secondsPerEpoch: event.seconds };
        const losses = Object.entries(event.losses).map(([task, loss]) => `${task} ${formatNumber(loss)}`);
        progress.line(`  epoch ${event.epoch}: ${losses.join(', ')}  (${duration(event.seconds)})`);
        break;
      }
      case 'failed':
        progress.line(`  failed: ${event.message}`);
        break;
      case 'finished':
        progress.line(`  done in ${duration(event.seconds)} of training`);
        break;
      default:
        break;
    }
  };
}
