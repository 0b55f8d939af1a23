// Reads onnxruntime's profile: a list of events, one for each operator of each run.
import { readFileSync } from 'node:fs';
import { profileAt } from '../../engine/ort/profile-file.js';

export interface OperatorTime {
  /** Place of the operator in the program. */
  index: number;
  label: string;
  /** Mean over the runs that count. */
  seconds: number;
  /** Bytes of its outputs. */
  bytes: number;
}

interface TraceEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args?: { output_size?: string };
}

/**
 * @param prefix as given to the session; onnxruntime adds the time
 * @param skip first runs that do not count
 */
export function readTrace(prefix: string, skip: number): OperatorTime[] {
  const path = profileAt(prefix);
  if (path === undefined) return [];
  const events = JSON.parse(readFileSync(path, 'utf8')) as TraceEvent[];
  const runs = events.filter(({ cat, name }) => cat === 'Session' && name === 'model_run');
  const counted = runs.slice(skip);
  if (counted.length === 0) return [];
  const begin = counted[0].ts;
  const operators = new Map<number, OperatorTime>();
  for (const { cat, name, ts, dur, args } of events) {
    const match = /^(\d+):(.*)_kernel_time$/.exec(name);
    if (cat !== 'Node' || !match || ts < begin) continue;
    const index = Number(match[1]);
    const known = operators.get(index) ?? { index, label: match[2], seconds: 0, bytes: 0 };
    known.seconds += dur / 1e6 / counted.length;
    known.bytes = Number(args?.output_size ?? 0);
    operators.set(index, known);
  }
  return [...operators.values()];
}
