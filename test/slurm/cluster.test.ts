// Experiments on a real Slurm cluster of two nodes, which are disturbed in the ways in which clusters are.
// `npm run test:slurm`; needs Debian's slurm-wlm and munge, or the like.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectSameRun } from '../support/crash.js';
import { temporaryFolder } from '../support/rooms.js';
import { Cluster, missingPrograms, type Node } from './support/cluster.js';
import { allEvents, ClusterExperiment } from './support/experiments.js';

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

  it('runs as an array, reports, and runs nothing the second time', async () => {
    const experiment = new ClusterExperiment({ a: { epochs: 1 }, b: { epochs: 2 }, c: { epochs: 1 } });
    const { code, stdout, stderr } = await experiment.run('--json');
    expect(code, stderr).to.equal(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [submitted, ...others] = events.filter(({ event }) => event === 'submitted');
    expect(submitted).to.include({ system: 'slurm', tasks: 3, trials: 3 });
    expect(others).to.deep.equal([]);
    const trials = await experiment.status();
    expect(Object.values(trials).map(({ state, job }) => [state, job?.word])).to.deep.equal(
      Array.from({ length: 3 }, () => ['done', 'COMPLETED']),
    );
    expect((events.at(-1)!.rows as { state: string }[]).map(({ state }) => state)).to.deep.equal([
      'done',
      'done',
      'done',
    ]);
    for (const trial of Object.values(trials))
      expect(allEvents(trial).filter(({ event }) => event === 'started')).to.have.length(1);
    const again = await experiment.run('--json');
    expect(again.stdout).not.to.contain('"submitted"');
  });

  it('goes on after the time limit, exactly where it was', async () => {
    const row = { depth: { epochs: 45, ms: 150 } };
    const undisturbed = new ClusterExperiment(row);
    const experiment = new ClusterExperiment(row, ', warning: 45', 1);
    const [local, limited] = await Promise.all([undisturbed.run('--launcher', 'local'), experiment.run()]);
    expect(local.code, local.stderr).to.equal(0);
    expect(limited.code, limited.stderr).to.equal(0);
    const { depth } = await experiment.status();
    const events = allEvents(depth).map(({ event }) => event);
    expect(events).to.include('interrupted').and.to.include('resumed');
    expectSameRun(experiment.runs, undisturbed.runs);
  });

  it('is cancelled after a checkpoint, tells so, and is repaired with --only failed', async () => {
    const experiment = new ClusterExperiment(
      { x: { epochs: 40, ms: 150 }, y: { epochs: 1 } },
      ', parallel: 1',
    );
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
    await cluster.until('nothing is left in the queue', () => cluster.ask('squeue', '-h') === '');
    const after = await experiment.status();
    expect(after.x).to.include({ state: 'interrupted', lost: true });
    expect(after.y).to.include({ state: 'queued', lost: true });
    expect([after.x.job!.word, after.y.job!.word]).to.deep.equal(['CANCELLED', 'CANCELLED']);
    const { stdout } = await experiment.command('status');
    expect(stdout).to.contain('ended as CANCELLED').and.to.contain('--only failed');

    const repaired = await experiment.run('--only', 'failed');
    expect(repaired.code, repaired.stderr).to.equal(0);
    expect(allEvents(x).filter(({ event }) => event === 'resumed')).to.have.length(1);
  });

  it('moves to another node when its node dies', async () => {
    const experiment = new ClusterExperiment({ z: { epochs: 40, ms: 150 } });
    await experiment.run('--detach');
    const { z } = await experiment.status();
    await cluster.until('z trains', () => experiment.epochs(z) > 2);
    const node = (await experiment.status()).z.job!.node as Node;
    await cluster.killNode(node);
    try {
      const { code, stderr } = await experiment.run();
      expect(code, stderr).to.equal(0);
      const after = (await experiment.status()).z;
      expect(after.job!.node).not.to.equal(node);
      const events = allEvents(z);
      expect(events.filter(({ event }) => event === 'started')).to.have.length(2);
      const resumed = events.find(({ event }) => event === 'resumed');
      expect(resumed).to.have.property('step').that.is.above(0);
    } finally {
      cluster.startNode(node);
      await cluster.until(
        `${node} is back`,
        () => cluster.ask('sinfo', '-h', '-n', node, '-o', '%T').trim() === 'idle',
      );
    }
  });

  it('does not notice that the controller is started again', async () => {
    const experiment = new ClusterExperiment({ k: { epochs: 30, ms: 150 } });
    await experiment.run('--detach');
    const { k } = await experiment.status();
    const watching = experiment.run();
    await cluster.until('k trains', () => experiment.epochs(k) > 0);
    await cluster.stopController();
    const unknown = await experiment.command('status');
    expect(unknown.code).to.equal(0);
    expect(unknown.stdout).to.contain('jobs are not known');
    cluster.startController();
    const { code, stderr } = await watching;
    expect(code, stderr).to.equal(0);
    expect(allEvents(k).filter(({ event }) => event === 'started')).to.have.length(1);
  });

  it('is shared by two submissions and a local worker', async () => {
    const rows = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, { epochs: 3, ms: 100 }]),
    );
    const experiment = new ClusterExperiment(rows);
    const { stdout } = await experiment.run('--detach', '--json');
    const { script } = JSON.parse(stdout.split('\n').find((line) => line.includes('"submitted"'))!) as {
      script: string;
    };
    cluster.ask('sbatch', '--parsable', script);
    const [local, watching] = await Promise.all([
      experiment.run('--launcher', 'local', '--jobs', '1'),
      experiment.run(),
    ]);
    expect(local.code, local.stderr).to.equal(0);
    expect(watching.code, watching.stderr).to.equal(0);
    await cluster.until('nothing is left in the queue', () => cluster.ask('squeue', '-h') === '');
    for (const trial of Object.values(await experiment.status())) {
      expect(trial.state, trial.row).to.equal('done');
      expect(
        allEvents(trial).filter(({ event }) => event === 'started'),
        trial.row,
      ).to.have.length(1);
    }
  });

  it('says which node has a full disk, and does it elsewhere', async function () {
    const scratch = temporaryFolder();
    for (const node of ['n1', 'n2']) mkdirSync(join(scratch, node));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', join(scratch, 'n2')], {
        stdio: 'ignore',
      });
    } catch {
      this.skip();
    }
    try {
      const setup = `, setup: ['export MTCP_CACHE=${scratch}/$SLURMD_NODENAME']`;
      const rows = { full: { epochs: 1 } };
      const experiment = new ClusterExperiment(rows, `${setup}, sbatch: ['--nodelist=n2']`);
      const { code, stderr } = await experiment.run();
      expect(code).to.equal(1);
      expect(stderr).to.contain('on n2').and.to.contain('the disk is full');
      const { full } = await experiment.status();
      expect(full.job).to.include({ word: 'FAILED', node: 'n2' });
      const { stdout } = await experiment.command('logs');
      expect(stdout).to.contain('the disk is full');
      const text = readFileSync(experiment.file, 'utf8').replace('nodelist=n2', 'nodelist=n1');
      writeFileSync(experiment.file, text);
      const repaired = await experiment.run('--only', 'failed');
      expect(repaired.code, repaired.stderr).to.equal(0);
    } finally {
      execFileSync('umount', [join(scratch, 'n2')]);
    }
  });
});
