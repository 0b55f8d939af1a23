// The log of a trial: what a crash cut off, what a full disk kept back, and what a resume makes void.
import { appendFileSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  courseOf,
  EventLog,
  readEvents,
  readLog,
  type TrialEvent,
} from '../../../../runners/store/ledger/events.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { pending } from '../../../support/pending.js';

const epoch = (n: number): TrialEvent => ({
  event: 'epoch',
  epoch: n,
  step: 2 * n,
  rate: 1,
  losses: {},
  projected: {},
  cosines: {},
  objective: n,
  weights: {},
  seconds: 1,
  waited: 0,
});
const checkpoint = (n: number, step = 2 * n): TrialEvent => ({
  event: 'checkpoint',
  epoch: n,
  step,
  path: '',
});
const resumed = (n: number, step = 2 * n): TrialEvent => ({ event: 'resumed', epoch: n, step });

function logged(...events: TrialEvent[]): string {
  const path = join(temporaryFolder(), 'events.jsonl');
  const log = new EventLog(path);
  for (const event of events) log.append(event);
  return path;
}

const course = (...events: TrialEvent[]): string[] =>
  courseOf(readEvents(logged(...events))).map(
    (event) => `${event.event} ${(event as { step: number }).step}`,
  );

describe('the log of a trial', () => {
  it('ends a line that a crash cut off, so that the next one is whole', () => {
    const path = logged(epoch(1));
    appendFileSync(path, '{"time":"2026-01-01T00:00:00.000Z","event":"epo');
    expect(readEvents(path)).to.have.length(1);
    new EventLog(path).append(epoch(2));
    expect(readFileSync(path, 'utf8').trim().split('\n')).to.have.length(2);
    expect(readEvents(path).map((event) => (event as { epoch: number }).epoch)).to.deep.equal([1, 2]);
  });

  it('keeps what a full disk refuses and writes it later', function () {
    if (!existsSync('/dev/full')) pending(this, 'there is no /dev/full');
    const path = join(temporaryFolder(), 'events.jsonl');
    const log = new EventLog(path);
    rmSync(path);
    symlinkSync('/dev/full', path);
    log.append(epoch(1));
    expect(() => log.flush()).to.throw('the disk is full');
    log.append(epoch(2));
    rmSync(path);
    log.append(epoch(3));
    expect(readEvents(path).map((event) => (event as { epoch: number }).epoch)).to.deep.equal([1, 2, 3]);
  });

  it('forgets what came after the checkpoint from which a run goes on', () => {
    expect(course(epoch(1), checkpoint(1), epoch(2), resumed(1), epoch(2), checkpoint(2))).to.deep.equal([
      'epoch 2',
      'checkpoint 2',
      'epoch 4',
      'checkpoint 4',
    ]);
    // The newer checkpoint was damaged.
    expect(course(epoch(1), checkpoint(1), epoch(2), checkpoint(2), resumed(1), epoch(2))).to.deep.equal([
      'epoch 2',
      'checkpoint 2',
      'epoch 4',
    ]);
    // In the middle of an epoch.
    expect(course(epoch(1), checkpoint(1), checkpoint(1, 3), resumed(1, 3), epoch(2))).to.deep.equal([
      'epoch 2',
      'checkpoint 2',
      'checkpoint 3',
      'epoch 4',
    ]);
    // There was no checkpoint yet.
    expect(course(epoch(1), resumed(0), epoch(1), checkpoint(1))).to.deep.equal(['epoch 2', 'checkpoint 2']);
  });

  it('keeps what tells about processes', () => {
    const path = logged(checkpoint(1), epoch(2), { event: 'failed', message: 'x' }, resumed(1));
    expect(readEvents(path).map(({ event }) => event)).to.deep.equal(['checkpoint', 'failed', 'resumed']);
  });

  it('counts lines that nobody can read, and says where the first is', () => {
    const path = logged(epoch(1));
    expect(readLog(path).fault).to.equal(undefined);
    appendFileSync(path, 'null\n');
    expect(readLog(path).fault).to.equal(`${path}: line 2 cannot be read and is left out`);
    appendFileSync(path, '{"event":"epoch"}\n\u0000\n');
    new EventLog(path).append(checkpoint(1));
    const { events, fault } = readLog(path);
    expect(fault).to.equal(`${path}: 3 lines, first line 2, cannot be read and are left out`);
    expect(courseOf(events).map(({ event }) => event)).to.deep.equal(['epoch', 'checkpoint']);
  });
});
