// Experiments on a real Slurm cluster of two nodes, which are disturbed in the ways in which clusters are.
// `npm run test:slurm`; needs Debian's slurm-wlm and munge, or the like.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectSameRun } from '../support/crash.js';
import { temporaryFolder } from '../support/rooms.js';
import type { JobStatus } from '../../runners/launching/status.js';
import { Cluster, missingPrograms, NODES, type Node } from './support/cluster.js';
import { allEvents, ClusterExperiment } from './support/experiments.js';
import { pending } from '../support/pending.js';

describe('an experiment on a Slurm cluster', function () {
  this.timeout(600_000);
  const cluster = new Cluster();
  const before_ = { ...process.env };

  before(async () => {
    const missing = missingPrograms();
    if (missing.length > 0)
      throw new Error(`this machine has no ${missing.join(', ')}: apt-get install slurm-wlm munge`);
    Object.assign(process.env, cluster.env);
    await cluster.start();
  });

  after(async () => {
    await cluster.stop();
    process.env = before_;
  });

  const started = (trial: Pick<JobStatus, 'folder'>) =>
    allEvents(trial).filter(({ event }) => event === 'started').length;
  const queueIsEmpty = () => cluster.ask('squeue', '-h') === '';

  it('runs as arrays that wait for each other, reports, and runs nothing the second time', async () => {
    const experiment = new ClusterExperiment({ a: 2, b: 1, c: { epochs: 1, from: 'a' } });
    const { code, stdout, stderr } = await experiment.run('--json');
    expect(code, stderr).to.equal(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const submitted = events.filter(({ event }) => event === 'submitted');
    expect(submitted.map(({ system, tasks, trials }) => [system, tasks, trials])).to.deep.equal([
      ['slurm', 2, 2],
      ['slurm', 1, 1],
    ]);
    const trials = Object.values(await experiment.status());
    expect(trials.map(({ state, job }) => [state, job?.word])).to.deep.equal(
      Array.from({ length: 3 }, () => ['done', 'COMPLETED']),
    );
    expect(trials.map(started)).to.deep.equal([1, 1, 1]);
    const [a, , c] = trials.map(allEvents);
    expect(c[0].time > a.at(-1)!.time, 'c began when a was done').to.equal(true);
    expect((events.at(-1)!.rows as { state: string }[]).map(({ state }) => state)).to.deep.equal(
      Array.from({ length: 3 }, () => 'done'),
    );
    const again = await experiment.run('--json');
    expect(again.code).to.equal(0);
    expect(again.stdout).not.to.contain('"submitted"');
  });

  it('goes on after the time limit, exactly where it was', async () => {
    const rows = { depth: 60 };
    const undisturbed = new ClusterExperiment(rows);
    // A minute is the shortest limit that Slurm has. Its signal may come up to a minute early.
    const experiment = new ClusterExperiment(rows, ', time: 1, warning: 45').hold();
    await experiment.run('--detach');
    const { depth } = await experiment.status();
    await cluster.until('the time is up', () =>
      allEvents(depth).some((logged) => logged.event === 'interrupted' && logged.step > 0),
    );
    experiment.letGo();
    const limited = await experiment.run();
    const local = await undisturbed.run('--launcher', 'local', '--threads', '1');
    expect(local.code, local.stderr).to.equal(0);
    expect(limited.code, limited.stderr).to.equal(0);
    expect(allEvents(depth).map(({ event }) => event)).to.include('resumed');
    // Slurm ends what it queues again in its own way; the output of the job goes on in the same file.
    const { log } = (await experiment.status()).depth.job!;
    expect(readFileSync(log, 'utf8')).to.contain('goes on after step');
    expectSameRun(experiment.runs, undisturbed.runs, { checkpoints: false });
  });

  it('is cancelled after a checkpoint, tells so, and is repaired with --only failed', async () => {
    const experiment = new ClusterExperiment({ x: 60, y: 1 }, ', parallel: 1').hold();
    const detached = await experiment.run('--detach');
    expect(detached.code, detached.stderr).to.equal(0);
    const { x, y } = await experiment.status();
    expect(y.job).to.include({ phase: 'waiting', word: 'PENDING' });
    await cluster.until('x trains', () => experiment.epochs(x) > 0);
    const running = (await experiment.status()).x;
    expect(running).to.include({ state: 'running' });
    expect(running.job).to.include({ phase: 'running', word: 'RUNNING' });
    // The same command again hands nothing in.
    const again = await experiment.run('--detach', '--json');
    expect(again.stdout).not.to.contain('"submitted"');

    const cancelled = await experiment.command('cancel', '--json');
    expect(JSON.parse(cancelled.stdout)).to.have.property('cancelled').with.length(2);
    await cluster.until('x has saved a checkpoint', () => allEvents(x).at(-1)?.event === 'interrupted');
    await cluster.until('nothing is left in the queue', queueIsEmpty);
    const after = await experiment.status();
    expect(after.x).to.include({ state: 'interrupted', lost: true });
    expect(after.y).to.include({ state: 'queued', lost: true });
    expect([after.x.job!.word, after.y.job!.word]).to.deep.equal(['CANCELLED', 'CANCELLED']);
    const { stdout } = await experiment.command('status');
    expect(stdout).to.contain('ended as CANCELLED').and.to.contain('--only failed');

    experiment.letGo();
    const repaired = await experiment.run('--only', 'failed');
    expect(repaired.code, repaired.stderr).to.equal(0);
    expect(allEvents(x).filter(({ event }) => event === 'resumed')).to.have.length(1);
  });

  it('moves to another node when its node dies', async () => {
    const experiment = new ClusterExperiment({ z: 60 }).hold();
    await experiment.run('--detach');
    const { z } = await experiment.status();
    await cluster.until('z trains', () => experiment.epochs(z) > 2);
    const node = (await experiment.status()).z.job!.node as Node;
    await cluster.killNode(node);
    experiment.letGo();
    try {
      const { code, stderr } = await experiment.run();
      expect(code, stderr).to.equal(0);
      expect((await experiment.status()).z.job!.node).not.to.equal(node);
      expect(started(z)).to.equal(2);
      const resumed = allEvents(z).find(({ event }) => event === 'resumed');
      expect(resumed).to.have.property('step').that.is.above(0);
    } finally {
      cluster.startNode(node);
      await cluster.until(
        `${node} is back`,
        () => cluster.ask('sinfo', '-h', '-n', node, '-o', '%T').trim() === 'idle',
      );
    }
  });

  it('shares a trial between two nodes, and leaves the bytes that one process leaves', async () => {
    const rows = { d: { epochs: 3, accumulate: 2 } };
    const experiment = new ClusterExperiment(rows, ', nodes: 2');
    const alone = new ClusterExperiment(rows);
    const { code, stderr } = await experiment.run();
    expect(code, stderr).to.equal(0);
    const { d } = await experiment.status();
    expect(d.job).to.include({ word: 'COMPLETED' });
    const [shared] = allEvents(d).filter(({ event }) => event === 'shared');
    expect(shared).to.have.property('processes').with.length(2);
    const local = await alone.run('--launcher', 'local', '--threads', '1');
    expect(local.code, local.stderr).to.equal(0);
    expectSameRun(experiment.runs, alone.runs);
    await cluster.until('nothing is left in the queue', queueIsEmpty);
    for (const node of NODES) expect(cluster.processesOn(node), node).to.deep.equal([]);
  });

  it('goes on from a checkpoint when the second node of a trial dies, and saves one when it is cancelled', async () => {
    const rows = { e: { epochs: 60, accumulate: 2 } };
    const experiment = new ClusterExperiment(rows, ', nodes: 2').hold();
    await experiment.run('--detach');
    const { e } = await experiment.status();
    await cluster.until('e trains', () => experiment.epochs(e) > 2);
    const before = experiment.epochs(e);
    await cluster.killNode('n2');
    await cluster.until('the trial has ended', () => allEvents(e).at(-1)!.event === 'warning');
    expect(allEvents(e).at(-1))
      .to.have.property('message')
      .that.matches(/process 1 .* is lost/);
    cluster.startNode('n2');
    await cluster.until(
      'e goes on',
      () => experiment.epochs(e) > before && allEvents(e).some(({ event }) => event === 'resumed'),
    );
    expect(allEvents(e).filter(({ event }) => event === 'shared')).to.have.length(2);
    await experiment.command('cancel');
    await cluster.until('e has saved a checkpoint', () => allEvents(e).at(-1)?.event === 'interrupted');
    await cluster.until('nothing is left in the queue', queueIsEmpty);
    experiment.letGo();
  });

  it('does not notice that the controller is started again', async () => {
    const experiment = new ClusterExperiment({ k: 60 }).hold();
    let seen = '';
    const watching = experiment.watch(({ event }) => void (seen += `${event} `));
    await cluster.until('k is watched', () => seen.includes('jobs'));
    const { k } = await experiment.status();
    await cluster.until('k trains', () => experiment.epochs(k) > 0);
    await cluster.stopController();
    const unknown = await experiment.command('status');
    expect(unknown.code).to.equal(0);
    expect(unknown.stdout).to.contain('jobs are not known');
    cluster.startController();
    experiment.letGo();
    const { code, stderr } = await watching;
    expect(code, stderr).to.equal(0);
    expect(started(k)).to.equal(1);
  });

  it('is shared by two submissions and a local worker', async () => {
    const experiment = new ClusterExperiment({ a: 3, b: 3, c: 3, d: 3, e: 3, f: 3 }).hold();
    const { stdout } = await experiment.run('--detach', '--json');
    const line = stdout.split('\n').find((text) => text.includes('"submitted"'))!;
    const { script } = JSON.parse(line) as { script: string };
    cluster.ask('sbatch', '--parsable', script);
    const [local, watching] = await Promise.all([
      experiment.run('--launcher', 'local', '--jobs', '1'),
      experiment.run(),
    ]);
    expect(local.code, local.stderr).to.equal(0);
    expect(watching.code, watching.stderr).to.equal(0);
    await cluster.until('nothing is left in the queue', queueIsEmpty);
    for (const trial of Object.values(await experiment.status())) {
      expect(trial.state, trial.row).to.equal('done');
      expect(started(trial), trial.row).to.equal(1);
    }
  });

  it('says which node has a full disk, and does it elsewhere', async function () {
    const scratch = temporaryFolder();
    for (const node of NODES) mkdirSync(join(scratch, node));
    try {
      const options = ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', join(scratch, 'n2')];
      execFileSync('mount', options, { stdio: 'ignore' });
    } catch {
      pending(this, 'needs the right to mount a file system');
    }
    try {
      const setup = `, setup: ['export MTCP_CACHE=${scratch}/$SLURMD_NODENAME']`;
      const experiment = new ClusterExperiment({ full: 1 }, `${setup}, sbatch: ['--nodelist=n2']`);
      const { code, stderr } = await experiment.run();
      expect(code).to.equal(1);
      expect(stderr).to.contain('on n2').and.to.contain('the disk is full');
      const { full } = await experiment.status();
      expect(full.job).to.include({ word: 'FAILED', node: 'n2' });
      expect(full.lost).to.equal(true);
      const { stdout } = await experiment.command('logs');
      expect(stdout).to.contain('the disk is full');
      const text = readFileSync(experiment.file, 'utf8');
      writeFileSync(experiment.file, text.replace('nodelist=n2', 'nodelist=n1'));
      const repaired = await experiment.run('--only', 'failed');
      expect(repaired.code, repaired.stderr).to.equal(0);
    } finally {
      execFileSync('umount', [join(scratch, 'n2')]);
    }
  });
});
