// The identity of a process that owns a folder, and whether that process is still alive. A pid alone is not enough: other
// machines, boots and containers have processes with the same number, and the system reuses numbers.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Owner {
  pid: number;
  host: string;
  /** Boot and process namespace in which `pid` means something; null where the system does not say. */
  machine: string | null;
  /** Start time of the process in clock ticks of the system: distinguishes it from a later one with the same pid. */
  started: string | null;
  /** ISO time at which the folder was taken. */
  since: string;
  /** What launchers add, for example the number of a batch job. */
  tags: Record<string, string>;
}

/** Tells whether an owner is alive; undefined if it does not know. */
export type Probe = (owner: Owner) => 'alive' | 'dead' | undefined;

export const describeOwner = ({ pid, host, since, tags }: Owner): string =>
  [
    `pid ${pid} on ${host}`,
    ...Object.entries(tags).map(([key, value]) => `${key} ${value}`),
    `since ${since}`,
  ].join(', ');

/** Judges processes of this machine; does not know others. */
export const sameMachine: Probe = (owner) => {
  const local = here();
  if (owner.host !== local.host || owner.machine !== local.machine) return undefined;
  if (!exists(owner.pid)) return 'dead';
  return owner.started === startOf(owner.pid) ? 'alive' : 'dead';
};

let own: Pick<Owner, 'pid' | 'host' | 'machine' | 'started'> | undefined;

/** The identity of this process. */
export function here() {
  return (own ??= {
    pid: process.pid,
    host: hostname(),
    machine: machineHere(),
    started: startOf(process.pid),
  });
}

export function isSameProcess(a: Owner | undefined, b: Owner): boolean {
  return (
    a !== undefined && a.pid === b.pid && a.host === b.host && a.started === b.started && a.since === b.since
  );
}

function machineHere(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** States of a process that has ended, and whose parent has not asked how: in a container perhaps nobody ever does. */
const ENDED = ['Z', 'X'];

/**
 * Start time: field 22 of /proc/<pid>/stat. Field 2 is a name in parentheses that may contain spaces and parentheses; the
 * state follows it. Null for a process that has ended.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ENDED.includes(fields[0]) ? null : fields[19];
  } catch {
    return null;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Stands for the owner of a lock that cannot be read. */
export const unknownOwner = (): Owner => ({
  pid: 0,
  host: 'unknown',
  machine: null,
  started: null,
  since: 'unknown',
  tags: {},
});
