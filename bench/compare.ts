// One comparison: two processes hold the same part of a network with the same numbers and take turns. Other load on
// the machine affects both, and each turn gives one ratio.
import type { Checksum } from './checksum.js';
import { agreement } from './agreement.js';
import type { EngineChoice } from '../runners/engine/index.js';
import type { GraphSize } from './graph-size.js';
import { PEER } from './python.js';
import { median, quantile } from './quantile.js';
import { Side } from './side.js';
import type { Setup } from './subject.js';

/** Of matrix products and convolutions; everything else is float32. */
export type Precision = 'float32' | 'tf32' | 'bfloat16';

export interface CompareOptions {
  /** mtcp's; onnxruntime on the CPU if left out. */
  engine?: EngineChoice;
  /** PyTorch's, as it calls it; the CPU if left out. */
  device?: string;
  /** Of both sides; float32 if left out. */
  precision?: Precision;
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
  /** Bytes on a device: what mtcp's program takes, and the most that PyTorch has allocated. */
  onDevice: { ours: number | null; peer: number | null };
  /** GFLOP of a step. */
  gflop: number;
  /** What computes it; absent where a step is the update of weights alone. */
  graph?: GraphSize;
  /** GB that a step has to read and write in memory, where that limits it; otherwise 0. */
  traffic: number;
  torch: string;
  /** Largest relative difference of the results of the first step. */
  difference: number;
}

export async function compare(options: CompareOptions): Promise<Comparison> {
  const { piece, threads, rounds, turn, apart, precision = 'float32' } = options;
  const engine = options.engine ?? { type: 'onnx', provider: 'cpu' };
  const peer = new Side('PyTorch', options.python, peerArguments(options));
  let ours: Side | undefined;
  try {
    const { sizes, drawn, torch } = await peer.ask<Setup & { torch: string }>();
    const alone = apart ? await allTurns(peer, turn, rounds) : undefined;
    if (apart) await peer.close();
    ours = new Side('mtcp', process.execPath, [new URL('worker.js', import.meta.url).pathname]);
    const { flops, traffic, graph } = await ours.ask<{
      flops: number;
      traffic: number;
      graph?: GraphSize;
    }>({
      piece,
      sizes,
      drawn,
      threads,
      engine,
    });
    const [a, b] = alone
      ? [await allTurns(ours, turn, rounds), alone]
      : await turnByTurn([ours, peer], turn, rounds);
    const difference = agreement(piece, a.checksums, b.checksums, precision === 'float32' ? 1 : COARSER);
    const times = a.seconds.map((seconds, round) => [seconds, b.seconds[round]] as const);
    const memory = { ours: a.peakRss, peer: b.peakRss };
    const onDevice = { ours: a.deviceBytes, peer: b.deviceBytes };
    const ratios = times.map(([a, b]) => b / a);
    return {
      piece,
      sizes,
      ours: median(times.map(([a]) => a)),
      peer: median(times.map(([, b]) => b)),
      ratio: { median: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) },
      memory,
      onDevice,
      gflop: flops / 1e9,
      graph,
      traffic: traffic / 1e9,
      torch,
      difference,
    };
  } finally {
    await Promise.all([ours?.close(), peer.close()]);
  }
}

/** How much more results may differ where products are rounded to 8 or 11 bits. */
const COARSER = 50;

function peerArguments(options: CompareOptions): string[] {
  const { piece, sizes, threads, channelsLast, compile, device = 'cpu', precision = 'float32' } = options;
  const args = [PEER, piece, '--sizes', JSON.stringify(sizes), '--threads', String(threads), '--fused'];
  args.push('--device', device, '--precision', precision);
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
  deviceBytes: number | null;
}

async function firstSteps(side: Side, turn: number): Promise<Turns> {
  const [first] = (await side.run(1)).seconds;
  const checksums = await side.checksums();
  await side.run(1);
  const count = Math.max(1, Math.min(50, Math.round(turn / first)));
  return { checksums, count, seconds: [], peakRss: 0, deviceBytes: null };
}

async function takeTurn(side: Side, turns: Turns): Promise<void> {
  const { seconds, peakRss, deviceBytes = null } = await side.run(turns.count);
  turns.seconds.push(median(seconds));
  turns.peakRss = peakRss;
  turns.deviceBytes = deviceBytes;
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
