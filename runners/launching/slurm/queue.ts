// Parses the output of squeue and sacct. squeue knows tasks that wait, run or ended minutes ago; sacct remembers
// longer, on clusters with accounting.
import type { TaskState } from '../../../registry/contracts/launching.js';

/** A task as squeue lists it. */
export interface Queued extends TaskState {
  restarts: number;
}

const FIELDS = ['ArrayJobID', 'ArrayTaskID', 'State', 'Reason', 'NodeList', 'TimeLeft', 'RestartCnt'];
const SEPARATOR = '|';
/** One line for each task of an array, whatever its state. */
export const squeueArguments = (user: string): string[] => [
  '--noheader',
  '--array',
  '--states=all',
  `--user=${user}`,
  `--Format=${FIELDS.map((field) => `${field}:${SEPARATOR}`).join(',')}`,
];

/** Of jobs that are no arrays there is nothing to say here. */
export function parseSqueue(text: string): Queued[] {
  return text.split('\n').flatMap((line): Queued[] => {
    const [job, task, word, reason, node, left, restarts] = line.split(SEPARATOR).map((part) => part.trim());
    if (!/^\d+$/.test(task ?? '')) return [];
    return [
      {
        job,
        task: Number(task),
        phase: phaseOf(word),
        word,
        reason: something(reason),
        node: something(node),
        left: something(left),
        restarts: Number(restarts) || 0,
      },
    ];
  });
}

export const sacctArguments = (jobs: readonly string[]): string[] => [
  '--noheader',
  '--parsable2',
  '--allocations',
  '--array',
  `--jobs=${jobs.join(',')}`,
  '--format=JobID,State,NodeList',
];

export function parseSacct(text: string): TaskState[] {
  return text.split('\n').flatMap((line): TaskState[] => {
    const [id, state, node] = line.split(SEPARATOR);
    const match = /^(\d+)_(\d+)$/.exec(id ?? '');
    if (!match) return [];
    // "CANCELLED by 1000"
    const word = state.split(' ')[0];
    const [, job, task] = match;
    return [
      {
        job,
        task: Number(task),
        phase: phaseOf(word),
        word,
        reason: null,
        node: something(node),
        left: null,
      },
    ];
  });
}

const WAITING = new Set([
  'PENDING',
  'REQUEUED',
  'REQUEUE_HOLD',
  'REQUEUE_FED',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
]);
const RUNNING = new Set([
  'RUNNING',
  'CONFIGURING',
  'COMPLETING',
  'SUSPENDED',
  'STOPPED',
  'SIGNALING',
  'STAGE_OUT',
  'RESIZING',
]);

export function phaseOf(word: string): TaskState['phase'] {
  if (WAITING.has(word)) return 'waiting';
  return RUNNING.has(word) ? 'running' : 'ended';
}

const something = (text: string | undefined): string | null =>
  text === undefined || ['', 'None', 'N/A', '(null)', 'None assigned'].includes(text) ? null : text;

/** Seconds in D-HH:MM:SS, HH:MM:SS, MM:SS or SS; undefined for UNLIMITED and anything else. */
export function secondsIn(text: string): number | undefined {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(?:(\d+):)?(\d+)$/.exec(text.trim());
  if (!match) return undefined;
  const [days, ...clock] = match.slice(1).map((part) => Number(part ?? 0));
  const [first, second, last] = clock;
  // With one colon the first number is minutes.
  const [hours, minutes] = match[3] === undefined ? [0, first] : [first, second];
  return ((days * 24 + hours) * 60 + minutes) * 60 + last;
}
