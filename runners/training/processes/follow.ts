// The part of every other process in a trial that several processes share. It has no folder and writes nothing: it opens
// the trial that process 0 names, gets its state from there, and takes the same steps.
import { MtcpError } from '../../../registry/errors.js';
import { loadComponents } from '../../config/components-of.js';
import { threadsOf } from '../../config/index.js';
import type { TrainBatch } from '../../data/batch.js';
import { createEngine } from '../../engine/index.js';
import { assembled } from '../../model/assemble.js';
import { withCounts } from '../../model/class-counts.js';
import { loaderOf } from '../../model/loader.js';
import type { RunState } from '../../store/checkpoint.js';
import type { Team } from '../../support/team/team.js';
import { LossMeans } from '../loss-means.js';
import { compileStep } from '../running-trial.js';
import { restoreScheme } from '../scheme-state.js';
import { batchesOf, endEpoch, takeStep, type Stepping } from '../take-step.js';
import { arraysOf, digestOf, reportOf, type Order } from './orders.js';

/**
 * Takes part in one trial, until process 0 says that it is over.
 * @throws MtcpError what went wrong here or in another process; all of them have been told then
 */
export async function follow(team: Team): Promise<void> {
  try {
    const first = await next(team);
    if (first.order !== 'trial') throw outOfTurn(first);
    await withTrial(team, first);
  } catch (error) {
    team.abort(error);
    throw error;
  }
  await team.leave();
}

const next = async (team: Team): Promise<Order> => (await team.told()) as Order;

const outOfTurn = ({ order }: Order): MtcpError =>
  new MtcpError('engine', `process 0 ordered "${order}" when it was not the time for it`);

async function withTrial(
  team: Team,
  { trial, counts, settings }: Extract<Order, { order: 'trial' }>,
): Promise<void> {
  loadComponents([trial]);
  const parts = withCounts(assembled(trial), counts ?? {});
  const { tasks, criterion } = parts;
  const opened: { close(): unknown }[] = [];
  const open = <T extends { close(): unknown }>(each: T): T => {
    opened.unshift(each);
    return each;
  };
  try {
    const loader = open(loaderOf(trial, { tasks, scheme: criterion.scheme, settings, share: team }));
    const { digest } = await loader.prepare(() => {});
    const engine = open(await createEngine(trial.config.engine, threadsOf(trial.config, settings)));
    const step = open(await compileStep(trial, engine, parts, loader.size, team));
    await team.gather(async () => reportOf(trial, digest, loader.stepsPerEpoch, step));
    const begin = await next(team);
    if (begin.order !== 'begin') throw outOfTurn(begin);
    const stepping = { trial, parts, loader, step, means: new LossMeans(), state: begin.state };
    await begun(team, stepping, begin.state);
    await obey(team, stepping);
  } finally {
    for (const each of opened) await each.close();
  }
}

async function begun(team: Team, { step, parts, means }: Stepping, state: RunState): Promise<void> {
  restoreScheme(parts.criterion, state.scheme, team.nameOf(0));
  means.restore(state.losses);
  step.weights.residence?.overwrite();
  for (const numbers of arraysOf(step)) await team.toldNumbers(numbers);
}

async function obey(team: Team, stepping: Stepping): Promise<void> {
  const { state, step, loader, parts } = stepping;
  let batches: AsyncGenerator<TrainBatch, void, undefined> | undefined;
  try {
    for (;;) {
      const order = await next(team);
      switch (order.order) {
        case 'step': {
          if (order.step !== state.step) throw outOfTurn(order);
          batches ??= batchesOf(stepping);
          const { value: batch } = await batches.next();
          if (!batch) throw outOfTurn(order);
          await takeStep(stepping, batch);
          if (state.stepInEpoch < loader.stepsPerEpoch) break;
          await batches.return();
          batches = undefined;
          endEpoch(stepping);
          break;
        }
        case 'scores':
          parts.criterion.scheme.evaluated?.(order.scores);
          break;
        case 'check':
          await step.pull();
          await team.gather(async () => digestOf(step));
          break;
        case 'end':
          return;
        default:
          throw outOfTurn(order);
      }
    }
  } finally {
    await batches?.return();
  }
}
