// What is going on in a folder of runs, read from its files: the input of the live page. A file is read again only when
// it has changed. Nothing is written, so any number of pages may watch a run, on another machine too.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';
import { courseOf, readEvents, type LoggedEvent } from '../../store/ledger/events.js';
import { experimentFolders, trialFolders } from '../../store/ledger/folders.js';
import { RunFolder, type TrialState } from '../../store/ledger/run-folder.js';
import { readResolvedSections } from '../../store/resolved-file.js';
import { lastStep } from './last-step.js';

export interface Curve {
  /** `loss/depth`, `depth.RMSE` */
  name: string;
  points: [epoch: number, value: number][];
}

export interface WatchedTrial {
  /** Path in the folder of runs. */
  id: string;
  experiment: string;
  row: string;
  seed: number;
  state: TrialState;
  epoch: number;
  epochs: number;
  step: number | null;
  objective: number | null;
  /** Seconds of training still to come; null where that is not known. */
  left: number | null;
  updated: string | null;
  failure: string | null;
  curves: Curve[];
  /** When its picture of predictions was written; null: there is none. */
  picture: number | null;
}

export interface Snapshot {
  trials: WatchedTrial[];
  /** Seconds of training of all trials that have begun. */
  left: number | null;
  machine: { load: number; cores: number; memory: number; memoryTotal: number };
}

/** A trial that may not have begun. */
export interface Expected {
  folder: string;
  experiment: string;
  row: string;
  seed: number;
  epochs: number;
}

/** Metrics of one class, such as semseg.IoU.floor, are too many to watch. */
const OF_A_CLASS = /^[^.]+\.[^.]+\.\D/;

interface Read {
  key: string;
  course: LoggedEvent[];
  first: (LoggedEvent & { event: 'started' }) | undefined;
  epochs: number;
}

export class Watch {
  readonly #known = new Map<string, Read>();

  /** @param expected trials of an experiment; all that are in the folder if left out */
  constructor(
    readonly runs: string,
    readonly expected?: readonly Expected[],
  ) {}

  snapshot(): Snapshot {
    const shown = this.expected
      ? this.expected.map((each) => this.#trial(each.folder, each))
      : this.#folders().map((folder) => this.#trial(folder));
    const known = shown.filter(({ left }) => left !== null);
    const whole = meanOf(
      known.map(({ left, epoch, epochs }) => (left! * epochs) / Math.max(1, epochs - epoch)),
    );
    // A trial that has not begun takes as long as those that have.
    const lefts = shown
      .filter(({ state }) => state !== 'done' && state !== 'failed')
      .map(({ left }) => left ?? whole);
    return {
      trials: shown,
      left: lefts.some((left) => left === undefined) ? null : lefts.reduce((a, b) => a! + b!, 0)!,
      machine: {
        load: loadavg()[0],
        cores: cpus().length,
        memory: totalmem() - freemem(),
        memoryTotal: totalmem(),
      },
    };
  }

  /** The picture of a trial that the last snapshot had. */
  picture(id: string): Buffer | undefined {
    const folder = this.expected
      ? this.expected.find((each) => this.#id(each.folder) === id)?.folder
      : this.#folders().find((each) => this.#id(each) === id);
    const path = folder && join(folder, 'predictions.png');
    return path && existsSync(path) ? readFileSync(path) : undefined;
  }

  #folders(): string[] {
    return experimentFolders(this.runs).flatMap(trialFolders);
  }

  #id(folder: string): string {
    return relative(this.runs, folder).replaceAll('\\', '/');
  }

  #trial(folder: string, expected?: Expected): WatchedTrial {
    const { course, first, epochs } = this.#read(folder);
    const run = new RunFolder(folder);
    // A log that is damaged at its beginning has no start.
    const about = expected ?? first ?? run.result() ?? { row: run.name, seed: 0 };
    const state = run.state();
    const means = course.filter((event) => event.event === 'epoch');
    const last = means.at(-1);
    const total = expected?.epochs ?? epochs;
    const epoch = last?.epoch ?? 0;
    const step = lastStep(join(folder, 'steps.jsonl'));
    const picture = statSync(join(folder, 'predictions.png'), { throwIfNoEntry: false });
    const events = statSync(join(folder, 'events.jsonl'), { throwIfNoEntry: false });
    return {
      id: this.#id(folder),
      experiment: expected?.experiment ?? basename(join(folder, '..')),
      row: about.row,
      seed: about.seed,
      state,
      epoch,
      epochs: total,
      step: step?.step ?? null,
      objective: step?.total ?? last?.objective ?? null,
      left: last && state !== 'done' ? Math.max(0, total - epoch) * last.seconds : null,
      updated: events ? events.mtime.toISOString() : null,
      failure: state === 'failed' ? (run.failure()?.message ?? null) : null,
      curves: curvesOf(course),
      picture: picture ? picture.mtimeMs : null,
    };
  }

  #read(folder: string): Read {
    const path = join(folder, 'events.jsonl');
    const stat = statSync(path, { throwIfNoEntry: false });
    const key = stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : '';
    const known = this.#known.get(folder);
    if (known?.key === key) return known;
    const events = stat ? readEvents(path) : [];
    const first = events.find((event) => event.event === 'started');
    const read = { key, course: courseOf(events), first, epochs: known?.epochs || epochsOf(folder) };
    this.#known.set(folder, read);
    return read;
  }
}

function epochsOf(folder: string): number {
  try {
    const { train } = (readResolvedSections(folder) ?? {}) as { train?: { epochs?: number } };
    return train?.epochs ?? 0;
  } catch {
    // It is being written, or damaged: the page shows no total.
    return 0;
  }
}

function curvesOf(course: readonly LoggedEvent[]): Curve[] {
  const curves = new Map<string, [number, number][]>();
  const add = (name: string, epoch: number, value: number | null) => {
    if (value === null || !Number.isFinite(value)) return;
    const points = curves.get(name) ?? [];
    points.push([epoch, value]);
    curves.set(name, points);
  };
  for (const event of course) {
    if (event.event === 'epoch')
      for (const [task, loss] of Object.entries(event.losses)) add(`loss ${task}`, event.epoch, loss);
    if (event.event === 'evaluated')
      for (const [name, value] of Object.entries(event.metrics))
        if (!OF_A_CLASS.test(name)) add(name, event.epoch, value);
  }
  return [...curves].map(([name, points]) => ({ name, points }));
}

const meanOf = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
