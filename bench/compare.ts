// One comparison: two processes hold the same piece with the same numbers; they take turns, so that whatever else
// the machine does meets both, and each turn gives one ratio.
import { MtcpError } from '../registry/errors.js';
import type { Checksum } from './checksum.js';
import { PEER } from './python-with-torch.js';
import { Side } from './side.js';
import type { Setup } from './subject.js';

export interface CompareOptions {
  piece: string;
  sizes: Record<string, unknown>;
  threads: number;
  /** Turns that each side gets. */
  rounds: number;
  /** A turn lasts at least this long, in seconds. */
  turn: number;
  python: string;
  channelsLast: boolean;
  /** PyTorch through torch.compile. */
  compile: boolean;
  /** One side after the other, the first one closed before the second starts: for what does not fit beside. */
  apart: boolean;
}

export interface Comparison {
  piece: string;
  sizes: Record<string, unknown>;
  /** Seconds of a step: the median over turns of a turn's median. */
  ours: number;
  peer: number;
  /** The peer's time over ours, by turns: median, quartiles. */
  ratio: { median: number; low: number; high: number };
  /** Most memory each process ever held, in bytes, its language and libraries included. */
  memory: { ours: number; peer: number };
  /** GFLOP of a step. */
  gflop: number;
  torch: string;
  /** Largest relative difference of the results of the first step. */
  difference: number;
}

/** Results of the first step may differ by this much of a tensor's norm, */
const TOLERANCE = 2e-3;
/** and gradients of a whole network by this: where rounding flips a choice (a maximum, a ReLU, a mask) they jump. */
const NETWORK_TOLERANCE = 2e-2;
/** How results of whole networks call the norm of a parameter's gradient. */
const GRADIENT_NORM = 'norm.';

export async function compare(options: CompareOptions): Promise<Comparison> {
  const { piece, threads, rounds, turn, apart } = options;
  const peer = new Side('PyTorch', options.python, peerArguments(options));
  let ours: Side | undefined;
  try {
    const { sizes, drawn, torch } = await peer.ask<Setup & { torch: string }>();
    const alone = apart ? await allTurns(peer, turn, rounds) : undefined;
    if (apart) await peer.close();
    ours = new Side('mtcp', process.execPath, [new URL('worker.js', import.meta.url).pathname]);
    const { flops } = await ours.ask<{ flops: number }>({ piece, sizes, drawn, threads });
    const [a, b] = alone
      ? [await allTurns(ours, turn, rounds), alone]
      : await turnByTurn([ours, peer], turn, rounds);
    const difference = agreement(piece, a.checksums, b.checksums);
    const times = a.seconds.map((seconds, round) => [seconds, b.seconds[round]] as const);
    const memory = { ours: a.peakRss, peer: b.peakRss };
    const ratios = times.map(([a, b]) => b / a);
    return {
      piece,
      sizes,
      ours: median(times.map(([a]) => a)),
      peer: median(times.map(([, b]) => b)),
      ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
      memory,
      gflop: flops / 1e9,
      torch,
      difference,
    };
  } finally {
    await Promise.all([ours?.close(), peer.close()]);
  }
}

function peerArguments({ piece, sizes, threads, channelsLast, compile }: CompareOptions): string[] {
  const args = [PEER, piece, '--sizes', JSON.stringify(sizes), '--threads', String(threads), '--fused'];
  return [...args, ...(channelsLast ? ['--channels-last'] : []), ...(compile ? ['--compile'] : [])];
}

interface Turns {
  /** Results of the first step. */
  checksums: Record<string, Checksum>;
  /** Steps of a turn. */
  count: number;
  /** Of a step, the median of each turn. */
  seconds: number[];
  peakRss: number;
}

async function firstSteps(side: Side, turn: number): Promise<Turns> {
  const [first] = (await side.run(1)).seconds;
  const checksums = await side.checksums();
  await side.run(1);
  const count = Math.max(1, Math.min(50, Math.round(turn / first)));
  return { checksums, count, seconds: [], peakRss: 0 };
}

async function takeTurn(side: Side, turns: Turns): Promise<void> {
  const { seconds, peakRss } = await side.run(turns.count);
  turns.seconds.push(median(seconds));
  turns.peakRss = peakRss;
}

async function allTurns(side: Side, turn: number, rounds: number): Promise<Turns> {
  const turns = await firstSteps(side, turn);
  for (let round = 0; round < rounds; round++) await takeTurn(side, turns);
  return turns;
}

async function turnByTurn([a, b]: [Side, Side], turn: number, rounds: number): Promise<[Turns, Turns]> {
  const [turnsOfA, turnsOfB] = [await firstSteps(a, turn), await firstSteps(b, turn)];
  for (let round = 0; round < rounds; round++) {
    await takeTurn(a, turnsOfA);
    await takeTurn(b, turnsOfB);
  }
  return [turnsOfA, turnsOfB];
}

/** Both sides must have computed the same; throws where they did not. */
function agreement(piece: string, ours: Record<string, Checksum>, peer: Record<string, Checksum>): number {
  let worst = { name: '', difference: 0, allowed: TOLERANCE };
  const shared = Object.keys(peer).filter((name) => name in ours);
  if (shared.length === 0) throw new MtcpError('engine', `${piece}: the two sides share no result`);
  // Where one side alone has a parameter's gradient the networks differ; one without use is zero here, absent there.
  const alone =
    Object.keys(peer).find((name) => name.startsWith(GRADIENT_NORM) && !(name in ours)) ??
    Object.keys(ours).find(
      (name) => name.startsWith(GRADIENT_NORM) && !(name in peer) && ours[name][1] !== 0,
    );
  if (alone !== undefined) throw new MtcpError('engine', `${piece}: only one side has ${alone}`);
  // A gradient that is zero but for rounding (a bias before a normalisation) has no true value to compare with:
  // small tensors are measured against the typical one.
  const norms = shared.map((name) => peer[name][1]).sort((a, b) => a - b);
  const typical = norms[norms.length >> 1];
  for (const name of shared) {
    const [sum, norm] = peer[name];
    const difference = Math.abs(ours[name][1] - norm) / Math.max(norm, typical);
    const allowed = name.startsWith(GRADIENT_NORM) ? NETWORK_TOLERANCE : TOLERANCE;
    if (!(difference / allowed <= worst.difference / worst.allowed)) worst = { name, difference, allowed };
    if (!Number.isFinite(sum)) worst = { name, difference: Infinity, allowed };
  }
  if (worst.difference > worst.allowed)
    throw new MtcpError('engine', `${piece}: ${worst.name} differs by ${worst.difference.toExponential(1)}`, {
      hint: 'a benchmark of different computations says nothing',
    });
  return worst.difference;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
