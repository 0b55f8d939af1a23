// Jobs of a batch system, with stand-ins for Slurm's commands: what is submitted, what is not submitted twice, and
// what is reported.
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import type { Experiment } from '../../../runners/config/index.js';
import { openExperiment } from '../../../runners/config/open.js';
import { Jobs } from '../../../runners/launching/jobs.js';
import { jobStatusOf, noteOn } from '../../../runners/launching/status.js';
import { submissionsOf } from '../../../runners/launching/submission.js';
import { runInJobs, submit } from '../../../runners/launching/submit.js';
import { wantedIn, planBatch } from '../../../runners/launching/plan-batch.js';
import type { BatchContext } from '../../../runners/launching/batch-context.js';
import { createBatchLauncher, launcherSlot } from '../../../runners/launching/index.js';
import { Ledger } from '../../../runners/store/ledger/ledger.js';
import type { TrialState } from '../../../runners/store/ledger/run-folder.js';
import { planJobs } from '../../../runners/app/plan-jobs.js';
import { FakeSlurm, squeueLines } from '../../support/fake-slurm.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../../support/rooms.js';

const SMALL = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
const LEANS = SMALL.replace(/ }$/, ', weights: { rows: { model: a } } }');
const LAUNCHER = 'launcher: { type: slurm, parallel: 2 }\n';
const OPTIONS = { profile: 'smoke' };

/** As a run has it, but for the network checks and the data, which are not what is looked at here. */
const opened = new Map<string, Experiment>();

async function prepared(file: string, runs: string, only?: readonly TrialState[]): Promise<BatchContext> {
  const experiment = opened.get(file) ?? openExperiment(file, OPTIONS);
  opened.set(file, experiment);
  const slot = launcherSlot(experiment);
  const jobs = Jobs.of(runs, experiment.name);
  if (jobs.any) await jobs.refresh();
  const ledger = new Ledger(runs, experiment.trials, { probes: jobs.probes });
  const launcher = createBatchLauncher(slot);
  return {
    experiment,
    ledger,
    runs,
    launcher,
    slot,
    jobs,
    only,
    command: 'mtcp run x.yaml',
    observe: () => {},
  };
}

async function handIn(file: string, runs: string, only?: readonly TrialState[]): Promise<string[]> {
  const context = await prepared(file, runs, only);
  const wanted = wantedIn(context);
  if (wanted.length > 0) await submit(context, await planBatch(context, wanted));
  return wanted.map(({ trial }) => trial.row);
}

async function statusIn(file: string, runs: string) {
  const { ledger, jobs } = await prepared(file, runs);
  return jobStatusOf(ledger, jobs);
}

describe('jobs of a batch system', function () {
  this.timeout(600_000);
  const rows = `rows:\n  a: ${SMALL}\n  b: ${SMALL.replace('equal', 'dwa')}\n  c: ${LEANS}\n`;

  it('are shown by a dry run, which leaves nothing', async () => {
    const slurm = new FakeSlurm();
    const runs = join(temporaryFolder(), 'runs');
    const file = experimentFile(rows + LAUNCHER);
    const plan = await slurm.during(() => planJobs(file, { ...OPTIONS, runs }));
    expect(plan!.scripts.map(({ text }) => /--array=\S+/.exec(text)![0])).to.deep.equal([
      '--array=0-1%2',
      '--array=0-0%2',
    ]);
    expect(plan!.scripts[1].command).to.contain('--dependency=afterany:JOB1');
    expect(existsSync(runs)).to.equal(false);
    expect(slurm.calls('sbatch')).to.deep.equal([]);
  });

  for (const [name, size] of [
    ['submission.json', 100],
    ['trials.jsonl', 10],
    ['trials.jsonl', 0],
  ] as const)
    it(`are not known where ${name} is cut off after ${size} bytes, and nothing is handed in again`, async () => {
      const slurm = new FakeSlurm();
      const runs = temporaryFolder();
      const file = experimentFile(rows + LAUNCHER);
      await slurm.during(async () => {
        await handIn(file, runs);
        const path = join(submissionsOf(runs, 'test')[0].path, name);
        truncateSync(path, size);
        if (size > 0) writeFileSync(path, '\n', { flag: 'a' });
        const before = slurm.calls('sbatch').length;
        const context = await prepared(file, runs);
        expect(context.jobs.any).to.equal(true);
        expect(context.jobs.fault).to.include(submissionsOf(runs, 'test')[0].path);
        const error = await runInJobs(context, { detach: true, stopRequested: () => false }).catch(
          (reason: unknown) => reason,
        );
        expect(MtcpError.is(error, 'io') && error.message).to.equal(context.jobs.fault);
        expect(slurm.calls('sbatch')).to.have.length(before);
        // Nothing is called lost because nobody knows of its job.
        expect((await statusIn(file, runs)).some(({ lost }) => lost)).to.equal(false);
      });
    });

  it('are handed in once; those that depend on others wait for their jobs', async () => {
    const slurm = new FakeSlurm();
    const runs = temporaryFolder();
    const file = experimentFile(rows + LAUNCHER);
    await slurm.during(async () => {
      expect(await handIn(file, runs)).to.deep.equal(['a', 'b', 'c']);
      const [folder] = submissionsOf(runs, 'test');
      const record = folder.read();
      expect(slurm.calls('sbatch')).to.deep.equal([
        `--parsable ${folder.script('1')}`,
        `--parsable --dependency=afterany:1 ${folder.script('2')}`,
      ]);
      expect(record.groups.map(({ job, trials }) => [job, trials])).to.deep.equal([
        ['1', 2],
        ['2', 1],
      ]);
      // Settings of a launcher and values of trials may hold what is secret.
      for (const name of ['submission.json', 'specs.jsonl', '1.sh', '2.sh'])
        expect(statSync(join(folder.path, name)).mode & 0o077, name).to.equal(0);
      // What a job reads is what was handed in, whatever becomes of the file.
      const listed = folder.readTrials();
      const { trials } = openExperiment(file, OPTIONS);
      expect(listed.map(({ hash }) => hash)).to.deep.equal(trials.map(({ hash }) => hash));
      expect(listed[2].sources['weights.rows.model']).to.include({ row: 'a', hash: trials[0].hash });
      expect(folder.readSpec(listed[2])).to.deep.equal(trials[2]);

      slurm.says(
        'squeue',
        squeueLines(
          { name: '1_0', word: 'RUNNING', node: 'n1', left: '9:00' },
          { name: '1_1', word: 'PENDING', reason: 'Resources' },
          { name: '2_0', word: 'PENDING', reason: 'Dependency' },
        ),
      );
      expect(await handIn(file, runs)).to.deep.equal([]);
      const status = await statusIn(file, runs);
      expect(status.map(noteOn)).to.deep.equal([
        'job 1_0 on n1, 9:00 left',
        'job 1_1 waits: Resources',
        'job 2_0 waits: Dependency',
      ]);
      expect(status.some(({ lost }) => lost)).to.equal(false);
    });
  });

  it('that ended before their trial was done are lost, and are what --only failed repairs', async () => {
    const slurm = new FakeSlurm();
    const runs = temporaryFolder();
    const file = experimentFile(rows + LAUNCHER);
    await slurm.during(async () => {
      await handIn(file, runs);
      slurm.says(
        'squeue',
        squeueLines(
          { name: '1_0', word: 'CANCELLED', node: 'n1' },
          { name: '2_0', word: 'PENDING', reason: 'Dependency' },
        ),
      );
      // squeue has forgotten the task, the accounts have not.
      slurm.says('sacct', '1_1|NODE_FAIL|n2\n');
      const status = await statusIn(file, runs);
      expect(status.map(({ lost }) => lost)).to.deep.equal([true, true, false]);
      expect(status.slice(0, 2).map(noteOn)).to.deep.equal([
        'its job 1_0 ended as CANCELLED on n1',
        'its job 1_1 ended as NODE_FAIL on n2',
      ]);
      // Without accounts there is what the task wrote down, if it could.
      slurm.says('sacct', '', { stderr: 'Slurm accounting storage is disabled\n', code: 1 });
      expect(noteOn((await statusIn(file, runs))[1])).to.equal('its job 1_1 is gone');
      const [folder] = submissionsOf(runs, 'test');
      const end = {
        event: 'ended',
        time: '2026-01-01T00:00:00Z',
        job: '1',
        restart: 0,
        node: 'n2',
        code: 137,
      };
      writeFileSync(`${folder.records('1')}-1.jsonl`, `${JSON.stringify(end)}\n{"event":`);
      expect(noteOn((await statusIn(file, runs))[1])).to.equal('its job 1_1 ended with code 137 on n2');

      expect(await handIn(file, runs, ['interrupted'])).to.deep.equal([]);
      expect(await handIn(file, runs, ['failed'])).to.deep.equal(['a', 'b']);
    });
  });

  it('are taken back if the system does not take all of them', async () => {
    const slurm = new FakeSlurm();
    const runs = temporaryFolder();
    const file = experimentFile(rows + LAUNCHER);
    writeFileSync(
      join(slurm.folder, 'sbatch.script'),
      `wc -l < sbatch.calls > sbatch.out
if [ $(cat sbatch.out) = 2 ]; then echo 'sbatch: error: Batch job submission failed: Job violates QOS policy' > sbatch.err; echo 1 > sbatch.code; fi
`,
    );
    await slurm.during(async () => {
      const error = await handIn(file, runs).catch((error: Error) => error);
      expect(error).to.have.property(
        'message',
        'sbatch does not take the job: Batch job submission failed: Job violates QOS policy',
      );
      expect(error).to.have.property('exitCode', 2);
      expect(error).to.have.property('hint').that.contains('launcher.trials');
      expect(slurm.calls('scancel')).to.deep.equal(['1_0 1_1']);
      expect(readdirSync(join(runs, 'test', '.jobs'))).to.deep.equal([]);
    });
  });

  it('are not handed in again while the system does not answer', async () => {
    const slurm = new FakeSlurm();
    const runs = temporaryFolder();
    const file = experimentFile(rows + LAUNCHER);
    await slurm.during(async () => {
      await handIn(file, runs);
      slurm.says('squeue', '', {
        stderr: 'slurm_load_jobs error: Unable to contact slurm controller\n',
        code: 1,
      });
      const { jobs, ledger } = await prepared(file, runs);
      expect(jobs.fault).to.contain('Unable to contact slurm controller');
      expect(jobStatusOf(ledger, jobs).some(({ lost }) => lost)).to.equal(false);
    });
  });

  it('of ten thousand trials cost seconds and one array', async () => {
    const slurm = new FakeSlurm();
    const runs = temporaryFolder();
    slurm.says('scontrol', 'MaxArraySize            = 1001\n');
    const seeds = Array.from({ length: 5000 }, (_, seed) => seed);
    const file = experimentFile(
      `seeds: [${seeds.join(', ')}]\nrows:\n  a: ${SMALL}\n  b: ${SMALL.replace('equal', 'dwa')}\n${LAUNCHER}`,
    );
    await slurm.during(async () => {
      const before = process.cpuUsage();
      expect(await handIn(file, runs)).to.have.length(10_000);
      const record = submissionsOf(runs, 'test')[0].read();
      expect(record.groups).to.have.length(1);
      expect(record.groups[0]).to.include({ tasks: 1000, each: 10, trials: 10_000 });
      expect(slurm.calls('sbatch')).to.have.length(1);
      const tasks = Array.from({ length: 1000 }, (_, task) => ({
        name: `1_${task}`,
        word: 'PENDING',
        reason: 'Priority',
      }));
      slurm.says('squeue', squeueLines(...tasks));
      const status = await statusIn(file, runs);
      expect(status.filter(({ job }) => job?.phase === 'waiting')).to.have.length(10_000);
      expect(status[9_999].job!.name).to.equal('1_999');
      // A generous bound: it is there to notice work that grows with the square.
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1e6, 'seconds of computing').to.be.below(30);
      const size = readFileSync(join(runs, 'test', '.jobs', record.key, 'trials.jsonl')).length;
      expect(size).to.be.below(3_000_000);
    });
  });
});
