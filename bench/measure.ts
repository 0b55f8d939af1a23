// Measures cases beside PyTorch, and puts what was measured into the rows of a table.
import { MtcpError } from '../registry/errors.js';
import type { Column } from '../runners/reporting/table.js';
import { CASES } from './cases.js';
import { compare, type CompareOptions, type Comparison } from './compare.js';

export type Measured = Comparison & { name: string };

/** The machine's limits: GFLOP/s of a matrix product, GB/s of memory. */
export interface Limits {
  product: number;
  memory: number;
}

const right = (title: string): Column => ({ title, align: 'right' });

export const COLUMNS: Column[] = [
  { title: 'case' },
  right('PyTorch / mtcp'),
  right('quartiles'),
  right('mtcp ms'),
  right('PyTorch ms'),
  right('mtcp MB'),
  right('PyTorch MB'),
  right('mtcp GFLOP/s'),
  right('of the limit'),
  right('operators'),
  right('parts'),
  right('MB written'),
  right('differs by'),
];

/** A case that takes gigabytes a step is limited by memory, others by products. */
export function rowOf(
  { name, ours, peer, ratio, memory, gflop, traffic, graph, difference }: Measured,
  limits: Limits,
): string[] {
  const share = traffic > 0 ? traffic / ours / limits.memory : gflop / ours / limits.product;
  return [
    CASES[name].title,
    ratio.median.toFixed(2),
    `${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)}`,
    (ours * 1000).toFixed(0),
    (peer * 1000).toFixed(0),
    (memory.ours / 1e6).toFixed(0),
    (memory.peer / 1e6).toFixed(0),
    gflop === 0 ? '' : (gflop / ours).toFixed(0),
    share === 0 || !Number.isFinite(share)
      ? ''
      : `${(100 * share).toFixed(0)} %${traffic > 0 ? ' (memory)' : ''}`,
    graph ? String(graph.operators) : '',
    graph ? String(graph.parts) : '',
    graph ? (graph.written / 1e6).toFixed(0) : '',
    difference.toExponential(0),
  ];
}

/**
 * @param until stop before a case that would start later, by performance.now()
 * @returns what was measured, the cases that failed, and those for which there was no time
 */
export async function measure(
  names: readonly string[],
  how: Omit<CompareOptions, 'piece' | 'sizes'>,
  say: (line: string) => void,
  until = Infinity,
): Promise<{ measured: Measured[]; failed: string[]; left: string[] }> {
  const measured: Measured[] = [];
  const failed: string[] = [];
  for (const [i, name] of names.entries()) {
    if (performance.now() > until) return { measured, failed, left: names.slice(i) };
    const { title, piece, sizes } = CASES[name];
    say(`${name}: ${title}`);
    try {
      const result = await compare({ ...how, piece, sizes: typeof sizes === 'function' ? sizes() : sizes });
      measured.push({ name, ...result });
      const { median, low, high } = result.ratio;
      say(`  PyTorch / mtcp ${median.toFixed(2)} (${low.toFixed(2)}..${high.toFixed(2)})`);
    } catch (error) {
      if (!MtcpError.is(error)) throw error;
      failed.push(name);
      say(error.format());
    }
  }
  return { measured, failed, left: [] };
}
