// Trials that several processes of this machine share: the same bytes as one process leaves, nothing lost when one of
// them is killed, and clear refusals.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { openExperiment } from '../../../runners/config/open.js';
import { processesIn, requireShared } from '../../../runners/launching/processes.js';
import { createLauncher, launcherSlot } from '../../../runners/launching/index.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { expectSameTrial, mtcp, trialFolderIn } from '../../support/crash.js';
import { DEPTH_ONLY, experimentFile, ROOT, TABLE3, temporaryFolder } from '../../support/rooms.js';

const TABLE1 = join(ROOT, 'experiments/table1.yaml');

/** The smallest network there is, with a running mean of its weights. */
const small = (train: string) =>
  experimentFile(
    `rows:\n  depth: ${DEPTH_ONLY.replace('model: {', 'model: { decoder: null,')}\nevaluate: { every: 1 }\ntrain: { ema: 0.9, clip: 1, workers: 0, ${train} }\n`,
  );

/** With one thread each: onnxruntime's sums depend on their number. */
const flags = (file: string, runs: string, processes: number, more: readonly string[] = []) => {
  const shared = ['--threads', String(processes), '--processes', String(processes)];
  return ['run', file, '--profile', 'smoke', '--runs', runs, ...shared, ...more];
};

/** Runs the one trial of an experiment. @returns its folder */
async function trained(file: string, processes: number, more: readonly string[] = []): Promise<string> {
  const runs = temporaryFolder();
  const { code, stderr } = await mtcp(flags(file, runs, processes, more));
  expect(code, stderr).to.equal(0);
  return trialFolderIn(runs);
}

interface Shared {
  event: string;
  processes: string[];
}

const pidIn = (name: string): number => Number(/pid (\d+)/.exec(name)![1]);

describe('a trial that processes share', function () {
  this.timeout(180_000);

  it('leaves the bytes that one process leaves: a shipped row with BatchNorm, dropout, LPS', async () => {
    const file = experimentFile('').replace(/experiment\.yaml$/, 'shipped.yaml');
    writeFileSync(file, `name: test\nextends: ${TABLE1}\n`);
    const more = [
      '--row',
      'PAD-Net',
      'train.batch=4',
      'train.accumulate=2',
      'train.epochs=2',
      'scheme={ type: lps }',
    ];
    const [two, one] = [await trained(file, 2, more), await trained(file, 1, more)];
    expectSameTrial(two, one);
    const [event] = readEvents(join(two, 'events.jsonl')).filter((each) => each.event === 'shared');
    expect(event).to.have.property('processes').with.length(2);
    expect(readEvents(join(one, 'events.jsonl')).some((each) => each.event === 'shared')).to.equal(false);
    expect(readdirSync(two).filter((name) => name.includes('meeting'))).to.deep.equal([]);
  });

  it('goes on exactly after one of them was killed, also with another number of them', async () => {
    const file = small('batch: 2, accumulate: 2, epochs: 4');
    const undisturbed = await trained(file, 2);
    const runs = temporaryFolder();
    let [killed, epochs] = [0, 0];
    let other = 0;
    const { code, signal, stderr } = await mtcp(flags(file, runs, 2, ['--json']), {
      each(event) {
        if (event.event === 'shared') other = pidIn((event as Shared).processes[1]);
        if (event.event === 'epoch' && ++epochs === 2) {
          killed = performance.now();
          process.kill(other, 'SIGKILL');
        }
      },
    });
    const took = performance.now() - killed;
    expect([code, signal]).to.deep.equal([1, null]);
    expect(took, 'milliseconds to the end').to.be.below(20_000);
    expect(stderr).to.match(/the connection to process 1 \(pid \d+ on .+\) is lost/);
    expect(stderr).to.contain('the same command goes on from the last checkpoint');
    const folder = trialFolderIn(runs);
    expect(readEvents(join(folder, 'events.jsonl')).at(-1)).to.have.property('event', 'warning');
    const { stdout } = await mtcp(['status', file, '--profile', 'smoke', '--runs', runs, '--json']);
    expect(stdout).to.contain('"interrupted"');
    // Two micro-batches in one process, with the threads that a process had before.
    const again = await mtcp(flags(file, runs, 1));
    expect(again.code, again.stderr).to.equal(0);
    expectSameTrial(folder, undisturbed, { checkpoints: false });
  });

  it('takes the others along when its first process is killed', async () => {
    const file = small('batch: 2, accumulate: 2, epochs: 1000');
    const runs = temporaryFolder();
    let other = 0;
    const { signal } = await mtcp(flags(file, runs, 2, ['--json']), {
      each(event) {
        if (event.event === 'shared') other = pidIn((event as Shared).processes[1]);
        if (event.event === 'epoch') return 'SIGKILL';
      },
    });
    expect(signal).to.equal('SIGKILL');
    for (let i = 0; isAlive(other); i++) {
      expect(i, 'tenths of a second').to.be.below(150);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('stops after a checkpoint when it is told to, and every process leaves in peace', async () => {
    const file = small('batch: 2, accumulate: 2, epochs: 1000');
    const runs = temporaryFolder();
    let other = 0;
    const { code, stderr } = await mtcp(flags(file, runs, 2, ['--json']), {
      each(event) {
        if (event.event === 'shared') other = pidIn((event as Shared).processes[1]);
        if (event.event === 'epoch') return 'SIGTERM';
      },
    });
    expect(code, stderr).to.equal(75);
    expect(stderr).not.to.contain('process 1');
    expect(readEvents(join(trialFolderIn(runs), 'events.jsonl')).at(-1)).to.have.property(
      'event',
      'interrupted',
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(isAlive(other)).to.equal(false);
  });
});

describe('processes of a trial', () => {
  const trialsOf = (...overrides: string[]) =>
    openExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP w/o CFM & SRM'], overrides }).trials;
  const faultOf = (processes: number, ...overrides: string[]): MtcpError => {
    try {
      requireShared(trialsOf(...overrides), processes, { isLocal: true, flag: processes });
    } catch (error) {
      return error as MtcpError;
    }
    throw new Error('they are not refused');
  };

  it('have to divide its micro-batches', () => {
    const fault = faultOf(3, 'train.batch=12', 'train.accumulate=4');
    expect(fault.exitCode).to.equal(2);
    expect(fault.where).to.match(/^argument "--processes 3", row "MT-CP w/);
    expect(fault.message).to.equal('3 processes cannot share a step of 4 micro-batches');
    expect(fault.hint).to.contain('can be 1, 2, 4; or set `train: {accumulate: 6}`, which is another trial');
    expect(faultOf(2, 'train.batch=2').hint).to.contain('`train: {accumulate: 2}`');
    expect(faultOf(2, 'train.batch=1').hint).to.contain('`train: {batch: 2, accumulate: 2}`');
    requireShared(trialsOf('train.batch=4', 'train.accumulate=4'), 2, { isLocal: true });
  });

  it('are refused for schemes that look at gradients, or at losses of a batch again', () => {
    const fault = faultOf(
      2,
      'train.batch=2',
      'train.accumulate=2',
      'scheme={ type: sdmgrad, shared: backbone }',
    );
    expect(fault.message).to.contain('looks at whole gradients');
    expect(fault.exitCode).to.equal(2);
    // These cannot do with micro-batches at all.
    for (const scheme of ['{ type: pcgrad }', '{ type: famo }']) {
      const { message, exitCode } = faultOf(2, 'train.batch=2', `scheme=${scheme}`);
      expect(message).to.contain('looks at the gradients or losses of a whole batch');
      expect(exitCode).to.equal(2);
    }
  });

  it('do not share a GPU', () => {
    const engine = 'engine={ type: onnx, provider: cuda }';
    const fault = faultOf(2, 'train.batch=2', 'train.accumulate=2', engine);
    expect(fault.message).to.contain('cannot share the device of engine "onnx"');
    expect(fault.hint).to.contain('--devices');
    const trials = trialsOf('train.batch=2', 'train.accumulate=2', engine);
    requireShared(trials, 2, { isLocal: false });
  });

  it('are no part of its identity', () => {
    const file = (launcher: string) => experimentFile(`rows: { a: ${DEPTH_ONLY} }\nlauncher: ${launcher}\n`);
    const [two, one] = ['{ type: local, processes: 2 }', '{ type: local }'].map((launcher) =>
      openExperiment(file(launcher), { profile: 'smoke' }),
    );
    expect(two.trials[0].hash).to.equal(one.trials[0].hash);
    const launchers = [two, one].map((experiment) => createLauncher(launcherSlot(experiment)));
    expect(launchers.map((launcher) => processesIn({}, launcher))).to.deep.equal([2, 1]);
    expect(processesIn({ processes: 4 }, launchers[0])).to.equal(4);
  });

  it('are nodes on a cluster', () => {
    const slurm = createLauncher({ type: 'slurm', nodes: 3 });
    expect(processesIn({}, slurm)).to.equal(3);
    expect(() => processesIn({ processes: 2 }, slurm)).to.throw(MtcpError, 'a process on each node');
  });

  it('are refused by the command before anything is written', async () => {
    const runs = join(temporaryFolder(), 'runs');
    const given = ['--profile', 'smoke', '--row', 'STL depth', '--runs', runs, '--processes', '2'];
    const { code, stderr } = await mtcp(['run', TABLE3, ...given, 'train.batch=2']);
    expect(code, stderr).to.equal(2);
    expect(stderr).to.contain('2 processes cannot share a step of 1 micro-batch');
    const bad = await mtcp(['run', TABLE3, ...given.slice(0, -1), 'two']);
    expect(bad.code).to.equal(2);
    expect(bad.stderr).to.contain('--processes two');
  });
});

/** Whether a process runs; one that nobody has waited for has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/State:\s*[ZX]/.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}
