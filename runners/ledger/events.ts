// What happens in a trial, as it happens: one JSON object a line in events.jsonl, appended and never changed.
// Everything that is shown later (tables, curves, trackers) is read from here.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type TrialEvent =
  | {
      event: 'started';
      row: string;
      seed: number;
      hash: string;
      data: { caption: string; digest: string; notes: string[] };
    }
  /** Goes on from a checkpoint: what was logged of later epochs is void. */
  | { event: 'resumed'; epoch: number; step: number }
  | {
      event: 'compiled';
      program: string;
      recordSeconds: number;
      sessionSeconds: number;
      nodes: number;
      bytes: number;
    }
  | { event: 'model'; parameters: number; trained: number; stepsPerEpoch: number }
  | {
      event: 'epoch';
      /** Counts from 1. */
      epoch: number;
      step: number;
      rate: number;
      /** Mean over the epoch of each task's raw loss, and of the objective. */
      losses: Record<string, number>;
      objective: number;
      /** Loss weights of the epoch that ended. */
      weights: Record<string, number>;
      seconds: number;
      /** Seconds of the epoch spent waiting for data. */
      waited: number;
    }
  | { event: 'evaluated'; epoch: number; metrics: Record<string, number>; seconds: number }
  | { event: 'checkpoint'; epoch: number; step: number; path: string }
  | { event: 'finished'; epoch: number; seconds: number }
  | { event: 'interrupted'; epoch: number; step: number }
  | { event: 'failed'; message: string };

export type LoggedEvent = TrialEvent & { time: string };

export class EventLog {
  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true });
  }

  append(event: TrialEvent): LoggedEvent {
    const logged = { time: new Date().toISOString(), ...event };
    appendFileSync(this.path, `${JSON.stringify(logged)}\n`);
    return logged;
  }
}

/**
 * The events that count: what a later `resumed` made void is left out, and so is a last line that a crash cut
 * off.
 */
export function readEvents(path: string): LoggedEvent[] {
  if (!existsSync(path)) return [];
  let events: LoggedEvent[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    let event: LoggedEvent;
    try {
      event = JSON.parse(line) as LoggedEvent;
    } catch {
      continue;
    }
    if (event.event === 'resumed') {
      const { epoch } = event;
      events = events.filter(
        (other) => !('epoch' in other) || other.event === 'resumed' || other.epoch <= epoch,
      );
    }
    events.push(event);
  }
  return events;
}
