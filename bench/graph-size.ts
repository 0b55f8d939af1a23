// How large a recorded graph is: what the table of a benchmark says of it.
import type { Program } from '../runners/engine/engine.js';

export interface GraphSize {
  operators: number;
  /** Bytes that they write. */
  written: number;
  /** Programs that the graph is cut into, to run on several threads. */
  parts: number;
}

export const graphSize = ({ stats }: Program): GraphSize => ({
  operators: stats.nodes,
  written: stats.writtenBytes,
  parts: stats.parts,
});
