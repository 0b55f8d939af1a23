// The script of a job array, run by bash with stand-ins for mtcp and for Slurm's commands.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { catalog } from '../../../../registry/catalog.js';
import type { JobRequest } from '../../../../registry/contracts/launching.js';
import { withDefaults } from '../../../../registry/options.js';
import '../../../../runners/launching/components.js';
import { slurmScript, type SlurmOptions } from '../../../../runners/launching/slurm/script.js';
import { FakeSlurm } from '../../../support/fake-slurm.js';
import { temporaryFolder } from '../../../support/rooms.js';

const optionsOf = (given: Record<string, unknown> = {}) =>
  withDefaults(catalog.get('launcher', 'slurm').options, given) as SlurmOptions;

const request = (folder: string): JobRequest => ({
  name: 'table3',
  about: ['table3: 12 trials in 12 tasks.'],
  tasks: 12,
  cwd: folder,
  command: ['/usr/bin/node', '/opt/it is/main.js', 'work', '/runs/x'],
  arguments: ['work', '/runs/x'],
  join: {
    command: ['/usr/bin/node', '/opt/it is/main.js', 'join', join(folder, 'tasks', '1')],
    arguments: ['join', join(folder, 'tasks', '1')],
  },
  logs: join(folder, 'logs'),
  records: join(folder, 'tasks', '1'),
});

describe('the script of a job array', () => {
  it('says in directives what the options ask for, and nothing else', () => {
    const text = slurmScript(
      request('/w'),
      optionsOf({
        partition: 'gpu',
        account: 'vision',
        time: '4:00:00',
        cpus: 8,
        gpus: 'a100:1',
        memory: '32G',
        constraint: 'a100|h100',
        parallel: 4,
        warning: 60,
        modules: ['cuda/12.4'],
        setup: ['export MTCP_CACHE=/scratch/$USER'],
        sbatch: ['--mail-type=FAIL'],
      }),
    );
    const directives = text.split('\n').filter((line) => line.startsWith('#SBATCH'));
    expect(directives).to.deep.equal([
      '#SBATCH --job-name=table3',
      '#SBATCH --array=0-11%4',
      '#SBATCH --chdir=/w',
      '#SBATCH --output=/w/logs/%A_%a.log',
      '#SBATCH --open-mode=append',
      '#SBATCH --signal=B:USR1@60',
      '#SBATCH --partition=gpu',
      '#SBATCH --account=vision',
      '#SBATCH --constraint=a100|h100',
      '#SBATCH --time=4:00:00',
      '#SBATCH --cpus-per-task=8',
      '#SBATCH --gres=gpu:a100:1',
      '#SBATCH --mem=32G',
      '#SBATCH --requeue',
      '#SBATCH --mail-type=FAIL',
    ]);
    expect(text).to.contain('\nmodule load cuda/12.4\nexport MTCP_CACHE=/scratch/$USER\n');
    expect(text).to.contain("/usr/bin/node '/opt/it is/main.js' work /runs/x \\\n");
    expect(slurmScript(request('/w'), optionsOf())).not.to.match(/partition|gres|mem=|%4|module/);
  });

  it('starts a process on each further node of a task, and ends them with it', async () => {
    const one = slurmScript(request('/w'), optionsOf({}));
    expect(one).not.to.contain('srun');
    const several = slurmScript(request('/w'), optionsOf({ nodes: 3, cpus: 8 }));
    expect(several).to.contain('#SBATCH --nodes=3\n#SBATCH --ntasks-per-node=1\n');
    expect(several).to.match(
      /srun --nodes=2 --ntasks=2 --ntasks-per-node=1 --relative=1 .*--cpus-per-task=8/,
    );
    expect(several).to.contain(`'/opt/it is/main.js' join /w/tasks/1-"$task".meeting.json`);
    expect(several.indexOf('srun')).to.be.below(several.indexOf(' work '));
    expect(several).to.contain('kill -KILL "$others"');
    const contained = slurmScript(
      request('/w'),
      optionsOf({ nodes: 2, command: 'apptainer exec mtcp.sif mtcp' }),
    );
    expect(contained).to.contain('apptainer exec mtcp.sif mtcp join /w/tasks/1-"$task".meeting.json');
  });

  it('starts mtcp by another command where the site has one', () => {
    const text = slurmScript(request('/w'), optionsOf({ command: 'apptainer exec --nv mtcp.sif mtcp' }));
    expect(text).to.contain('\napptainer exec --nv mtcp.sif mtcp work /runs/x \\\n');
  });

  /** Runs the script of one task; `mtcp` is what the stand-in does. */
  async function run(
    mtcp: string,
    { state = 'RUNNING', restarts = 0, requeues = 20, signal }: RunOptions = {},
  ): Promise<{ code: number | null; requeued: string[]; events: unknown[]; given: string }> {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'tasks'));
    const program = join(folder, 'mtcp');
    writeFileSync(program, `#!/bin/bash\ncd '${folder}'\necho "$*" > given\n${mtcp}\n`);
    chmodSync(program, 0o755);
    const slurm = new FakeSlurm();
    slurm.says('squeue', '59:00\n');
    slurm.says('scontrol', `JobId=17 JobName=table3 JobState=${state} Reason=None\n`);
    const script = join(folder, 'job.sh');
    const text = slurmScript(request(folder), optionsOf({ command: program, requeues }));
    writeFileSync(script, text.replace('sleep 60', 'true'));
    const env = {
      ...process.env,
      PATH: slurm.path,
      SLURM_JOB_ID: '18',
      SLURM_ARRAY_JOB_ID: '17',
      SLURM_ARRAY_TASK_ID: '3',
      SLURMD_NODENAME: 'n1',
      ...(restarts > 0 && { SLURM_RESTART_COUNT: String(restarts) }),
    };
    const child = spawn('bash', [script], { env, stdio: 'ignore' });
    if (signal) {
      const ready = setInterval(() => {
        if (!existsSync(join(folder, 'ready'))) return;
        clearInterval(ready);
        child.kill(signal);
      }, 20);
    }
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return {
      code,
      requeued: slurm.calls('scontrol').filter((call) => call.startsWith('requeue')),
      events: readFileSync(join(folder, 'tasks', '1-3.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => {
          const { event, code: ended } = JSON.parse(line) as { event: string; code: number | null };
          return [event, ended];
        }),
      given: readFileSync(join(folder, 'given'), 'utf8').trim(),
    };
  }

  interface RunOptions {
    state?: string;
    restarts?: number;
    requeues?: number;
    signal?: NodeJS.Signals;
  }

  it('hands over the task and its time, and ends as mtcp does', async () => {
    const { code, requeued, events, given } = await run('exit 1', {});
    expect(given).to.equal('work /runs/x --task 3 --time-left 59:00 --warning 120');
    expect(code).to.equal(1);
    expect(requeued).to.deep.equal([]);
    expect(events).to.deep.equal([
      ['started', null],
      ['ended', 1],
    ]);
  });

  it('is queued again after a checkpoint, so many times', async () => {
    const once = await run('exit 75');
    expect(once.requeued).to.deep.equal(['requeue 18']);
    expect(once.events).to.deep.include(['requeued', 75]);
    const enough = await run('exit 75', { restarts: 2, requeues: 2 });
    expect(enough.requeued).to.deep.equal([]);
    expect(enough.code).to.equal(75);
  });

  it('is not queued again when it is being cancelled', async () => {
    const { requeued, code } = await run('exit 75', { state: 'COMPLETING' });
    expect(requeued).to.deep.equal([]);
    expect(code).to.equal(75);
  });

  const stops = 'trap "sleep 0.3; exit 75" TERM; touch ready; while :; do sleep 0.05; done';

  for (const signal of ['SIGUSR1', 'SIGTERM'] as const)
    it(`passes ${signal} on and waits for the checkpoint`, async () => {
      const { code, requeued } = await run(stops, { signal });
      expect(code).to.equal(75);
      expect(requeued).to.deep.equal(['requeue 18']);
    });

  it('goes on later if mtcp was told to stop before it could listen', async () => {
    const { requeued } = await run('touch ready; exec sleep 5', { signal: 'SIGUSR1' });
    expect(requeued).to.deep.equal(['requeue 18']);
    const cancelled = await run('touch ready; exec sleep 5', { signal: 'SIGTERM' });
    expect(cancelled).to.include({ code: 143 }).and.to.have.property('requeued').that.deep.equals([]);
  });
});
