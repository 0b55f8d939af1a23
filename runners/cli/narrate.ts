// Events of a run as lines for a reader.
import { fittedText } from '../config/index.js';
import { duration, formatNumber } from '../reporting/numbers.js';
import type { RunEvent } from '../app/run-options.js';
import { remaining, type Progress } from './progress.js';
import { rungText } from './text.js';

/** A metric of one class, such as semseg.IoU.floor; the dot of <11.25 separates nothing. */
const OF_A_CLASS = /^[^.]+\.[^.]+\.\D/;

const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** @param parallel several trials report at once */
export function narrator(
  progress: Progress,
  { parallel = false }: { parallel?: boolean } = {},
): (event: RunEvent) => void {
  let began = performance.now();
  const took: number[] = [];
  let after = 0;
  // Of the whole table, for several trials at once.
  let todo = 0;
  // What tables show; not known to a job of a batch system.
  let primary: readonly string[] | undefined;
  let over = 0;
  const since = performance.now();
  const restOfTable = (): string => {
    if (!parallel)
      return after === 0 ? '' : `; ${after} more of the table, ${remaining(after * meanOf(took))}`;
    const rest = todo - over;
    const each = (performance.now() - since) / 1000 / over;
    return rest <= 0 ? '' : `; ${rest} more of the table, ${remaining(rest * each)}`;
  };
  return (event) => {
    // Of several trials at once each line says which it is about.
    const who = parallel && 'row' in event ? `${event.row}, seed ${event.seed}: ` : '';
    const indent = who || '  ';
    switch (event.event) {
      case 'experiment': {
        const left = event.trials.filter(({ state }) => state !== 'done').length;
        todo = left;
        primary = event.primary;
        progress.line(
          `${event.title}${event.profile ? `, profile ${event.profile}` : ''}: ${event.trials.length} ${event.trials.length === 1 ? 'trial' : 'trials'}, ${left} to do`,
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
        began = performance.now();
        after = event.of - event.index;
        progress.line(
          `[${event.index}/${event.of}] ${event.row}, seed ${event.seed}${event.state === 'done' ? ': done before' : ''}`,
        );
        break;
      case 'phase':
        progress.state(`${who}${event.what}`);
        break;
      case 'compiled':
        progress.state(
          `${who}${event.program} graph: ${event.nodes} nodes, recorded in ${event.recordSeconds.toFixed(1)} s, session in ${event.sessionSeconds.toFixed(1)} s`,
        );
        break;
      case 'model':
        progress.line(
          `${indent}${event.trained.toLocaleString('en-US')} parameters, ${event.stepsPerEpoch} steps an epoch`,
        );
        break;
      case 'shared':
        progress.line(`${indent}steps are shared by ${event.processes.length} processes`);
        break;
      case 'class weights': {
        const [low, high] = [Math.min(...event.weights), Math.max(...event.weights)].map(formatNumber);
        progress.line(`${indent}classes of ${event.task} weigh ${low} to ${high}`);
        break;
      }
      case 'pretrained':
        progress.line(
          `${indent}${event.parameters.toLocaleString('en-US')} of them start from ${event.source}`,
        );
        break;
      case 'resumed':
        progress.line(
          `${indent}${event.step === 0 ? 'starts again: there was no checkpoint yet' : `goes on after step ${event.step}`}`,
        );
        break;
      case 'tracking':
        progress.line(`${event.tracker}: ${event.message}`);
        break;
      case 'fitted':
        progress.line(fittedText(event));
        break;
      case 'warning':
        progress.line(`${indent}warning: ${event.message}`);
        break;
      case 'step': {
        const left = (event.steps - event.step) * event.secondsPerStep;
        const text = `${who}epoch ${event.epoch}, step ${event.step}/${event.steps}, objective ${formatNumber(event.objective)}, ${(event.secondsPerStep * 1000).toFixed(0)} ms a step${event.step < event.steps ? `, epoch ${remaining(left)}` : ''}`;
        progress.state(text, event.step, event.steps);
        break;
      }
      case 'epoch': {
        const losses = Object.entries(event.losses).map(([task, loss]) => `${task} ${formatNumber(loss)}`);
        progress.line(`${indent}epoch ${event.epoch}: ${losses.join(', ')}  (${duration(event.seconds)})`);
        break;
      }
      case 'evaluated': {
        const isShown = (name: string) => (primary ? primary.includes(name) : !OF_A_CLASS.test(name));
        const shown = Object.entries(event.metrics).filter(([name]) => isShown(name));
        const values = shown.map(([name, value]) => `${name} ${value === null ? '-' : formatNumber(value)}`);
        progress.line(`${indent}validation after epoch ${event.epoch}: ${values.join(', ')}`);
        break;
      }
      case 'rung':
        progress.line(`${indent}${rungText(event)}`);
        break;
      case 'submitted':
        progress.line(
          `${event.system}: job ${event.job}, ${event.trials} trials in ${event.tasks} tasks (${event.script})`,
        );
        break;
      case 'job': {
        const { row, seed, state, job, node, message } = event;
        const where = state === 'running' && job ? ` as ${job}${node ? ` on ${node}` : ''}` : '';
        progress.line(`${row}, seed ${seed}: ${message ?? state}${where}`);
        break;
      }
      case 'jobs': {
        const parts = [
          `${event.done} of ${event.trials} trials done`,
          `${event.running} running`,
          `${event.waiting} waiting${event.reasons.length > 0 ? ` (${event.reasons.join(', ')})` : ''}`,
          ...(event.failed > 0 ? [`${event.failed} failed`] : []),
        ];
        progress.state(parts.join(', '), event.epochs, event.of);
        break;
      }
      case 'failed':
        over++;
        progress.line(`${indent}failed: ${event.message}`);
        break;
      case 'finished':
        took.push((performance.now() - began) / 1000);
        over++;
        progress.line(`${indent}done in ${duration(event.seconds)} of training${restOfTable()}`);
        break;
      default:
        break;
    }
  };
}
