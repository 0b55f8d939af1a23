// Proposes the next points of a search and keeps them in the folder of runs. A point that is kept is a row of the
// experiment from then on; the ledger knows whether it is trained.
import {
  drawn,
  nextIndex,
  searchFolder,
  writeProposal,
  type Experiment,
  type Point,
  type SearchSpec,
} from '../../config/index.js';
import { randomStream } from '../../../registry/random.js';
import type { SearchResult } from '../../reporting/search.js';
import { optunaPoints } from './optuna.js';

export interface Progress {
  /** What is known of earlier trials. */
  readonly result: SearchResult;
  /** Seconds of training that the search has used. */
  readonly seconds: number;
  /** Trials that train at once. */
  readonly atOnce: number;
}

/**
 * Proposes as many points as the budget allows at this time.
 * @returns how many
 * @throws MtcpError if the library that proposes cannot be used
 */
export async function propose(
  { name, search }: Experiment,
  runs: string,
  { result, seconds, atOnce }: Progress,
): Promise<number> {
  const { spec } = search!;
  const folder = searchFolder(runs, name, spec);
  const first = nextIndex(folder);
  const left = spec.trials === null ? Infinity : spec.trials - (first - 1);
  if (left <= 0 || (spec.hours !== null && seconds >= spec.hours * 3600)) return 0;
  // Points that do not depend on results are proposed all together, so that processes and jobs can share them.
  const together = spec.type !== 'tpe' && spec.hours === null ? Infinity : (spec.atOnce ?? atOnce);
  const count = Math.min(left, together);
  const known = result.trials.flatMap(({ point }) => (point ? [point] : []));
  const indices = Array.from({ length: count }, (_, i) => first + i);
  const points =
    spec.type === 'tpe'
      ? await optunaPoints(spec, folder, result, indices)
      : randomPoints(spec, known, indices);
  points.forEach((point, i) => writeProposal(folder, { index: indices[i], point }));
  return points.length;
}

/** Draws before a point may come twice: small spaces of choices run out. */
const DRAWS = 100;

/** Independent points; the same seed and index give the same point. */
export function randomPoints(spec: SearchSpec, known: readonly Point[], indices: readonly number[]): Point[] {
  const seen = new Set(known.map((point) => JSON.stringify(ordered(spec, point))));
  return indices.map((index) => {
    const random = randomStream(spec.seed, 'search', index);
    for (let draw = 1; ; draw++) {
      const point: Point = Object.fromEntries(
        spec.over.map((parameter) => [
          parameter.path,
          parameter.kind === 'range'
            ? drawn(parameter, random.uniform())
            : parameter.choices[random.integer(parameter.choices.length)].label,
        ]),
      );
      const key = JSON.stringify(ordered(spec, point));
      if (seen.has(key) && draw < DRAWS) continue;
      seen.add(key);
      return point;
    }
  });
}

const ordered = ({ over }: SearchSpec, point: Point) => over.map(({ path }) => point[path]);
