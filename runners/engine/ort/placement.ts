// Tells which of onnxruntime's providers ran the operators of a session, from the session's profile.
import { readFileSync } from 'node:fs';
import { profileAt } from './profile-file.js';

export interface Placement {
  /** Operators that were run. */
  operators: number;
  /** Of these, those that ran on the CPU, by kind. */
  onCpu: ReadonlyMap<string, number>;
}

interface TraceEvent {
  cat: string;
  name: string;
  args?: { provider?: string; op_name?: string };
}

/** Copies between devices, which onnxruntime adds. */
const COPY = /^Memcpy/;

/**
 * @param prefix as given to the session
 * @returns undefined if there is no profile of that prefix
 */
export function placementOf(prefix: string): Placement | undefined {
  const path = profileAt(prefix);
  if (path === undefined) return undefined;
  const events = JSON.parse(readFileSync(path, 'utf8')) as TraceEvent[];
  // An operator has an event for each of its runs.
  const nodes = new Map<string, { kind: string; provider: string }>();
  for (const { cat, name, args } of events)
    if (cat === 'Node' && args?.provider && args.op_name && !COPY.test(args.op_name))
      nodes.set(name, { kind: args.op_name, provider: args.provider });
  const onCpu = new Map<string, number>();
  for (const { kind, provider } of nodes.values())
    if (provider === 'CPUExecutionProvider') onCpu.set(kind, (onCpu.get(kind) ?? 0) + 1);
  return { operators: nodes.size, onCpu };
}
