// Asynchronous successive halving (Li et al. 2020), in the form that stops trials: at a rung, a trial continues if it is
// among the best 1/reduction of all trials that have reached the rung so far. The best one so far always continues.
//
// Trials meet in files: runs/<experiment>/search/<digest>/epoch-<n>/<folder of the trial>.json. A decision is written
// once, so a trial that was interrupted decides the same again.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat } from '../../registry/support/json-file.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import type { TrialSpec } from '../config/index.js';
import { judgeOf } from '../model/selection.js';
import { writeWhole } from '../support/files.js';
import type { RunningTrial } from './running-trial.js';

/** What a trial had at a rung. */
interface Rung {
  /** Larger is better; null if a metric had no value. */
  score: number | null;
  rank: number;
  of: number;
  kept: boolean;
}

const FORMAT = new JsonFormat<Rung>(
  'a rung of a search',
  {
    type: 'object',
    required: ['score', 'rank', 'of', 'kept'],
    properties: {
      score: { type: ['number', 'null'] },
      rank: { type: 'integer' },
      of: { type: 'integer' },
      kept: { type: 'boolean' },
    },
  },
  { hint: 'delete the file' },
);

export const isRung = ({ halving }: TrialSpec, epoch: number): boolean =>
  halving?.rungs.includes(epoch) ?? false;

/** Compares the trial at a rung; false anywhere else. */
export function endsEarly(running: RunningTrial): boolean {
  const { trial, state } = running;
  if (!isRung(trial, state.epoch)) return false;
  const known = FORMAT.find(fileOf(running, state.epoch));
  // A checkpoint from before the evaluation: nothing to compare, and the rung was not reached before.
  if (!known && state.last?.epoch !== state.epoch) return false;
  const rung = known ?? compare(running);
  const { rank, of, kept } = rung;
  running.emit({ event: 'rung', epoch: state.epoch, rank, of, kept });
  return !kept;
}

/** How the trial stood at the rung that ended it; undefined if none did. */
export function rungAt(running: RunningTrial, epoch: number): { rank: number; of: number } | undefined {
  const rung = isRung(running.trial, epoch) ? FORMAT.find(fileOf(running, epoch)) : undefined;
  return rung && !rung.kept ? { rank: rung.rank, of: rung.of } : undefined;
}

function fileOf({ trial, context: { folder } }: RunningTrial, epoch: number): string {
  const search = join(dirname(folder.path), 'search', trial.halving!.search);
  return join(search, `epoch-${epoch}`, `${folder.name}.json`);
}

function compare(running: RunningTrial): Rung {
  const { trial, parts, state } = running;
  const { metric, reduction } = trial.halving!;
  const { evaluate } = trial.config;
  const judge = judgeOf(
    { evaluate: { ...evaluate, selection: { ...evaluate.selection, metric } } },
    parts.tasks,
    parts.metrics,
  );
  const score = judge(state.last!.metrics) ?? null;
  const file = fileOf(running, state.epoch);
  makeFolder(dirname(file));
  const { rank, of } = standing(score, scoresIn(dirname(file)));
  const rung = { score, rank, of, kept: survives(rank, of, reduction) };
  writeWhole(file, `${JSON.stringify(rung)}\n`);
  return rung;
}

/**
 * Rank of a score from 1, and of how many, itself included. Without a score a trial is last; of equal
 * scores the first one counts more.
 */
export function standing(
  score: number | null,
  others: readonly (number | null)[],
): { rank: number; of: number } {
  const better = others.filter((other) => other !== null && (score === null || other >= score));
  return { rank: 1 + better.length, of: 1 + others.length };
}

/** Whether a trial goes on: one of `reduction` does, and the best one. */
export const survives = (rank: number, of: number, reduction: number): boolean =>
  rank <= Math.max(1, Math.floor(of / reduction));

/** What is damaged, or was removed meanwhile, does not count. */
function scoresIn(folder: string): (number | null)[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      try {
        const rung = FORMAT.find(join(folder, name));
        return rung ? [rung.score] : [];
      } catch (error) {
        if (!MtcpError.is(error)) throw error;
        return [];
      }
    });
}
