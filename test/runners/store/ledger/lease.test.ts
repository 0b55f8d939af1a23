// Who has a folder: among processes of this machine, processes of other machines, and processes that died.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Lease, ownerOf, type Ownership } from '../../../../runners/store/ledger/lease.js';
import type { Owner } from '../../../../runners/store/ledger/owner.js';
import { pending } from '../../../support/pending.js';
import { ROOT, temporaryFolder } from '../../../support/rooms.js';

const LEASE = join(ROOT, 'dist/runners/store/ledger/lease.js');

/** Runs a module in a process of its own; `Lease` and `folder` are there. */
async function elsewhere(folder: string, code: string): Promise<string> {
  const script = `
    const { Lease } = await import(${JSON.stringify(LEASE)});
    const fs = await import('node:fs');
    const folder = ${JSON.stringify(folder)};
    ${code}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  return stdout.trim();
}

/** A folder whose owner was killed while it had it. */
function abandoned(): string {
  const folder = temporaryFolder();
  const script = `
    const { Lease } = await import(${JSON.stringify(LEASE)});
    Lease.take(${JSON.stringify(folder)});
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--input-type=module', '--eval', script]);
  return folder;
}

const locks = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes('lock'));

const take = (folder: string, ...rest: [Parameters<typeof Lease.take>[1]?]): Lease => {
  const lease = Lease.take(folder, ...rest);
  if (!(lease instanceof Lease)) throw new Error(`taken by ${JSON.stringify(lease)}`);
  return lease;
};

function foreign(folder: string, change: Partial<Owner> = {}): void {
  const owner: Owner = {
    pid: 1,
    host: 'another-machine',
    machine: 'boot pid:[1]',
    started: '1',
    since: '2026-01-01T00:00:00.000Z',
    tags: { job: '17' },
    ...change,
  };
  writeFileSync(join(folder, 'lock-1.json'), JSON.stringify(owner));
}

const silentFor = (folder: string, seconds: number): void => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(join(folder, 'lock-1.json'), then, then);
};

describe('a lease', () => {
  it('keeps others out until it is released', async () => {
    const folder = temporaryFolder();
    const lease = take(folder);
    const refused = await elsewhere(folder, 'console.log(JSON.stringify(Lease.take(folder)));');
    expect(JSON.parse(refused)).to.have.nested.property('owner.pid', process.pid);
    expect(Lease.take(folder)).to.have.property('alive', true);
    lease.release();
    expect(locks(folder)).to.deep.equal([]);
    take(folder).release();
  });

  it('is taken over from a process that was killed, and leaves nothing behind', () => {
    const folder = abandoned();
    expect(ownerOf(folder)).to.have.property('alive', false);
    const lease = take(folder);
    expect(lease.number).to.equal(2);
    expect(ownerOf(folder)).to.have.property('alive', true);
    lease.release();
    expect(locks(folder)).to.deep.equal([]);
  });

  it('does not take a later process with the same pid for the owner', () => {
    const folder = temporaryFolder();
    const { owner } = take(folder);
    foreign(folder, { ...owner, started: '1' });
    expect(ownerOf(folder)).to.have.property('alive', false);
  });

  it('is taken over from a process that has ended without its parent asking how', async function () {
    if (process.platform !== 'linux') pending(this, 'the state of a process is read from /proc, of Linux');
    const folder = temporaryFolder();
    const script = `
      const { Lease } = await import(${JSON.stringify(LEASE)});
      Lease.take(${JSON.stringify(folder)});
      console.log(process.pid);
      process.kill(process.pid, 'SIGKILL');`;
    // Becomes a program that never waits for its child.
    const parent = spawn('sh', [
      '-c',
      '"$0" --input-type=module --eval "$1" & exec sleep 60',
      process.execPath,
      script,
    ]);
    try {
      const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
      const stat = () => readFileSync(`/proc/${String(pid).trim()}/stat`, 'utf8');
      while (!stat().includes(') Z ')) await new Promise((done) => setTimeout(done, 10));
      expect(take(folder).number).to.equal(2);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('believes in an owner on another machine as long as it shows signs of life', () => {
    const folder = temporaryFolder();
    foreign(folder);
    silentFor(folder, 500);
    expect((Lease.take(folder) as Ownership).owner.host).to.equal('another-machine');
    silentFor(folder, 700);
    expect(ownerOf(folder)).to.have.property('alive', false);
    expect(ownerOf(folder, { silence: 1000 })).to.have.property('alive', true);
    // A process of a machine of the same name, but not this one.
    foreign(folder, { host: hostname(), pid: process.pid });
    expect(ownerOf(folder)).to.have.property('alive', true);
  });

  it('asks probes first', () => {
    const folder = temporaryFolder();
    foreign(folder);
    const asked: string[] = [];
    const probe = (verdict: 'alive' | 'dead' | undefined) => (owner: Owner) => {
      asked.push(owner.tags.job);
      return verdict;
    };
    expect(ownerOf(folder, { probes: [probe(undefined), probe('dead')] })).to.have.property('alive', false);
    expect(asked).to.deep.equal(['17', '17']);
    silentFor(folder, 1e6);
    expect(ownerOf(folder, { probes: [probe('alive')] })).to.have.property('alive', true);
    const lease = take(folder, { probes: [probe('dead')], tags: { job: '18' } });
    expect(ownerOf(folder)!.owner.tags).to.deep.equal({ job: '18' });
    lease.release();
  });

  it('notices that somebody else took over', () => {
    const folder = temporaryFolder();
    const lease = take(folder);
    lease.assertHeld();
    writeFileSync(join(folder, 'lock-2.json'), readFileSync(join(folder, 'lock-1.json')));
    expect(() => lease.assertHeld()).to.throw('took over the trial');
    lease.release();
    // The lock of the new owner is not the old one's to delete.
    expect(locks(folder)).to.deep.equal(['lock-2.json']);
  });

  it('is not taken by who saw a dead owner that somebody else has buried since', () => {
    const folder = temporaryFolder();
    foreign(folder);
    let other: Lease | undefined;
    const isDead = ({ host }: Owner) => (host === 'another-machine' ? ('dead' as const) : undefined);
    // Between the look at the dead owner and the lock, another process takes over, is done, and a third one begins.
    const probe = (owner: Owner) => {
      if (!other) {
        take(folder, { probes: [isDead] }).release();
        other = take(folder);
      }
      return isDead(owner);
    };
    const late = Lease.take(folder, { probes: [probe] });
    expect(late).not.to.be.instanceOf(Lease);
    expect(late).to.have.property('alive', true);
    other!.assertHeld();
    expect(locks(folder)).to.deep.equal(['lock-1.json']);
    other!.release();
  });

  it('goes to exactly one of many processes that take over at once', async function () {
    this.timeout(60_000);
    const folder = abandoned();
    const tried = temporaryFolder();
    const count = 5;
    const start = Date.now() + 1500;
    const contender = `
      await new Promise((resolve) => setTimeout(resolve, ${start} - 5 - Date.now()));
      while (Date.now() < ${start});
      console.log(Lease.take(folder) instanceof Lease ? 'won' : 'lost');
      // Alive until all have tried, however late the machine lets them begin.
      fs.mkdirSync(${JSON.stringify(tried)} + '/' + process.pid);
      while (fs.readdirSync(${JSON.stringify(tried)}).length < ${count}) await new Promise((resolve) => setTimeout(resolve, 20));
      process.exit(0);`;
    const results = await Promise.all(Array.from({ length: count }, () => elsewhere(folder, contender)));
    expect(results.filter((result) => result === 'won')).to.have.length(1);
  });

  it('never lets two processes in at once, not even when owners are killed', async function () {
    this.timeout(60_000);
    const folder = temporaryFolder();
    const counter = join(folder, 'counter');
    writeFileSync(counter, '0');
    // Reads, waits, writes: a process that does so at the same time loses a count. One of them dies while it holds the lease.
    const worker = (dies: boolean) => `
      const counter = ${JSON.stringify(counter)};
      for (let done = 0; done < 25;) {
        const lease = Lease.take(folder);
        if (!(lease instanceof Lease)) { await new Promise((r) => setTimeout(r, Math.random() * 4)); continue; }
        const value = Number(fs.readFileSync(counter, 'utf8'));
        await new Promise((r) => setTimeout(r, Math.random() * 2));
        fs.writeFileSync(counter, String(value + 1));
        done++;
        if (${dies} && done === 5) process.kill(process.pid, 'SIGKILL');
        lease.release();
      }`;
    const all = await Promise.allSettled(
      [true, true, false, false].map((dies) => elsewhere(folder, worker(dies))),
    );
    expect(all.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect(readFileSync(counter, 'utf8')).to.equal('60');
  });
});
