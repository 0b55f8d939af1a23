// Processes that meet, exchange results and add up vectors; here all of them are in one process, over the loopback
// interface.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { MtcpError } from '../../../../registry/errors.js';
import { randomStream } from '../../../../registry/random.js';
import { ProcessLost } from '../../../../runners/support/team/errors.js';
import { greetAsGuest } from '../../../../runners/support/team/handshake.js';
import { Link, patienceOf } from '../../../../runners/support/team/link.js';
import { call, join } from '../../../../runners/support/team/meeting.js';
import { calledFor, dismiss, meet, meetingFile } from '../../../support/teams.js';

const vectorOf = (length: number, name: string): Float32Array => {
  let seed = randomStream(name).integer(2 ** 31);
  return Float32Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed / 2 ** 31) * 10 ** (seed & 7);
  });
};

const rejection = (promise: Promise<unknown>): Promise<MtcpError | undefined> =>
  promise.then(
    () => undefined,
    (error: MtcpError) => error,
  );

describe('a team of processes', function () {
  this.timeout(30_000);

  it('gathers what each has made, in their order, with numbers to the last bit', async () => {
    const teams = await meet(3);
    const made = await Promise.all(
      teams.map((team) =>
        team.gather(async () => ({
          loss: Math.PI * team.index,
          none: NaN,
          map: vectorOf(5, `${team.index}`),
        })),
      ),
    );
    const expected = [0, 1, 2].map((i) => ({ loss: Math.PI * i, none: NaN, map: vectorOf(5, `${i}`) }));
    for (const each of made) expect(each).to.deep.equal(expected);
    await dismiss(teams);
  });

  it('throws everywhere what one has thrown, and can go on', async () => {
    const teams = await meet(3);
    const errors = await Promise.all(
      teams.map((team) =>
        rejection(
          team.gather(async () => {
            if (team.index > 0)
              throw new MtcpError('numeric', `wrong in ${team.index}`, { where: 'here', hint: 'try' });
          }),
        ),
      ),
    );
    for (const error of errors) {
      expect(error).to.include({ kind: 'numeric', message: 'wrong in 1', hint: 'try' });
      expect(error!.where).to.match(/here$/);
    }
    expect(errors[0]!.where).to.match(/^process 1 \(pid \d+ on .+\), here$/);
    expect(await Promise.all(teams.map((team) => team.gather(async () => team.index)))).to.deep.equal(
      Array.from({ length: 3 }, () => [0, 1, 2]),
    );
    await dismiss(teams);
  });

  for (const of of [2, 3, 5])
    it(`adds up vectors of ${of} as one process does, and moves no more of them than it must`, async () => {
      const teams = await meet(of);
      for (const length of [1, 16 * of, 600_001]) {
        const before = teams.map(({ moved }) => moved);
        const vectors = teams.map(({ index }) => vectorOf(length, `${index}`));
        const sum = Float32Array.from(vectors[0]);
        for (const each of vectors.slice(1, -1)) for (let i = 0; i < length; i++) sum[i] += each[i];
        const expected = sum.map((value, i) => (value + vectors.at(-1)![i]) / 8);
        await Promise.all(teams.map((team, i) => team.mean(vectors[i], 8)));
        for (const each of vectors) expect(Buffer.compare(bytes(each), bytes(expected))).to.equal(0);
        for (const [i, { moved }] of teams.entries())
          for (const way of ['sent', 'received'] as const)
            expect(moved[way] - before[i][way]).to.be.at.most(
              ((2 * (of - 1)) / of) * 4 * length + 4 * 64 * of,
            );
      }
      await dismiss(teams);
    });

  it('reads and writes memory that threads share', async () => {
    const teams = await meet(2);
    const vectors = [1, 2].map((value) => new Float32Array(new SharedArrayBuffer(4 * 100_000)).fill(value));
    await Promise.all(teams.map((team, i) => team.mean(vectors[i], 2)));
    for (const each of vectors) expect(each.every((x) => x === 1.5)).to.equal(true);
    await dismiss(teams);
  });

  it('ends for all when one is gone, within a moment', async () => {
    const teams = await meet(3);
    const waiting = [0, 1].map((i) => rejection(teams[i].gather(async () => i)));
    // As the system does it for a process that was killed.
    for (const { socket } of teams[2].links.values()) socket.destroy();
    const [first, second] = await Promise.all(waiting);
    for (const error of [first, second]) expect(error).to.be.instanceOf(ProcessLost);
    expect(first!.message).to.match(/process 2 \(pid \d+ on .+\) is lost/);
    const late = await rejection(teams[0].gather(async () => 0));
    expect(late).to.be.instanceOf(ProcessLost);
  });

  it('ends with the reason when one gives up', async () => {
    const teams = await meet(2);
    const waiting = rejection(teams[0].gather(async () => 0));
    teams[1].abort(new MtcpError('data', 'no such image', { where: 'x.png' }));
    const error = await waiting;
    expect(error).to.include({ kind: 'data', message: 'no such image' });
    expect(error!.where).to.match(/^process 1 .*, x\.png$/);
  });

  it('notices a process that says nothing any more', async () => {
    const file = meetingFile();
    const leader = call(file, { others: 1, isLocal: true, patience: 300 });
    // Its own patience is so long that it gives no sign of life meanwhile.
    const silent = join(await calledFor(file), 3e6);
    const [team] = await Promise.all([leader, silent]);
    const began = performance.now();
    const error = await rejection(team.gather(async () => 0));
    expect(error).to.be.instanceOf(ProcessLost);
    expect(error!.message).to.contain('has been silent for 0.3 s');
    expect(performance.now() - began).to.be.below(5000);
  });

  it('does not take a process for lost that only waits', async () => {
    const teams = await meet(2, 300);
    await sleep(900);
    const gathered = teams.map((team) => team.gather(async () => team.index));
    expect(await Promise.all(gathered)).to.have.length(2);
    await dismiss(teams);
  });
});

describe('a meeting of processes', function () {
  this.timeout(30_000);

  it('is announced in a file that only its user can read, for as long as it takes', async () => {
    const file = meetingFile();
    const leader = call(file, { others: 1, isLocal: true });
    const meeting = await calledFor(file);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readFileSync(file, 'utf8')).to.contain(meeting.token);
    const teams = [await join(meeting), await leader];
    expect(existsSync(file)).to.equal(false);
    await dismiss(teams.reverse());
  });

  it('turns away who does not know its token, and goes on', async () => {
    const file = meetingFile();
    const leader = call(file, { others: 1, isLocal: true });
    const meeting = await calledFor(file);
    const wrong = await rejection(join({ ...meeting, token: '0'.repeat(64) }));
    expect(wrong!.message).to.contain('no process of this run answers');
    const other = await rejection(join({ ...meeting, id: '0'.repeat(32) }));
    expect(other).to.be.instanceOf(MtcpError);
    // Who sends something else altogether hears nothing.
    const stranger = connect({ port: meeting.port, host: '127.0.0.1' });
    const heard: Buffer[] = [];
    stranger.on('data', (chunk) => heard.push(chunk)).on('error', () => {});
    stranger.write(`GET / HTTP/1.1\r\n\r\n${'x'.repeat(200)}`);
    await new Promise((resolve) => stranger.once('close', resolve));
    expect(heard).to.deep.equal([]);
    const last = join(meeting);
    await dismiss([await leader, await last]);
  });

  it('does not believe a process 0 that does not know the token', async () => {
    const file = meetingFile();
    const leader = rejection(call(file, { others: 1, isLocal: true, patience: 500 }));
    const meeting = await calledFor(file);
    const socket = await new Promise<Socket>((resolve) => {
      const made = connect({ port: meeting.port, host: '127.0.0.1' }, () => resolve(made));
    });
    const error = await rejection(greetAsGuest(socket, { ...meeting, token: '1'.repeat(64) }));
    expect(error!.message).to.contain('does not belong to this run');
    await leader;
  });

  it('ends when not everybody comes', async () => {
    const file = meetingFile();
    const leader = rejection(call(file, { others: 2, isLocal: true, patience: 500 }));
    const meeting = await calledFor(file);
    const one = rejection(join(meeting));
    expect((await leader)!.message).to.equal('1 of 2 other processes have joined this one within 0.5 s');
    expect((await one)!.message).to.equal(
      'process 0: 1 of 2 other processes have joined this one within 0.5 s',
    );
    expect(existsSync(file)).to.equal(false);
  });
});

describe('a connection between processes', function () {
  this.timeout(30_000);

  it('has a patience that is a number of seconds', () => {
    expect(patienceOf({})).to.equal(300_000);
    expect(patienceOf({ MTCP_PROCESS_PATIENCE: '20' })).to.equal(20_000);
    for (const given of ['soon', '5m', '0', '-3', 'Infinity', '1e9'])
      expect(() => patienceOf({ MTCP_PROCESS_PATIENCE: given }), given)
        .to.throw(MtcpError, `"${given}" is not a number of seconds`)
        .with.property('where', 'environment variable MTCP_PROCESS_PATIENCE');
  });

  it('refuses what is no frame, and more numbers than were expected', async () => {
    for (const [bad, message] of [
      [Buffer.from([9, 1, 0, 0, 0, 0]), 'what is no frame'],
      [Buffer.from([1, 255, 255, 255, 255]), 'what is no frame'],
      [Buffer.from([2, 8, 0, 0, 0, 0, 0, 0, 0]), 'more numbers than were expected'],
    ] as const) {
      const [leader, other] = await meet(2);
      const waiting = rejection((leader.links.get(1) as Link).receiveNumbers(new Float32Array(1)));
      other.links.get(0)!.socket.write(bad);
      expect((await waiting)!.message).to.contain(message);
    }
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
