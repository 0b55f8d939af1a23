// A Slurm cluster of its own on this machine, for as long as the tests take: munge, a controller and two nodes, all in
// a temporary folder, on loopback, without systemd and beside any Slurm that may be installed here.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export const NODES = ['n1', 'n2'] as const;
export type Node = (typeof NODES)[number];

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'scancel', 'srun'];

/** What of Slurm this machine lacks. */
export const missingPrograms = (): string[] =>
  PROGRAMS.filter((program) => spawnSync('which', [program], { env: environment() }).status !== 0);

/** Daemons lie where ordinary users do not look. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
});

export class Cluster {
  /** Short: the path of a socket must fit into 108 bytes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'slurm-'));

  get env(): NodeJS.ProcessEnv {
    return { ...environment(), SLURM_CONF: join(this.folder, 'slurm.conf'), SLURM_TIME_FORMAT: 'standard' };
  }

  async start(): Promise<void> {
    const [controller, ...ports] = await freePorts(1 + NODES.length);
    const at = (name: string) => join(this.folder, name);
    writeFileSync(at('munge.key'), randomBytes(1024), { mode: 0o600 });
    chmodSync(this.folder, 0o755);
    mkdirSync(at('state'));
    for (const node of NODES) mkdirSync(at(`spool-${node}`));
    writeFileSync(at('slurm.conf'), this.#configuration(controller, ports));
    this.#run('munged', [
      `--socket=${at('munge.socket')}`,
      `--key-file=${at('munge.key')}`,
      `--pid-file=${at('munged.pid')}`,
      `--log-file=${at('munged.log')}`,
      `--seed-file=${at('munged.seed')}`,
    ]);
    this.startController(true);
    for (const node of NODES) this.startNode(node);
    await this.until('nodes are there', () =>
      /^\s*2$/m.test(this.ask('sinfo', '-h', '-t', 'idle', '-o', '%D')),
    );
  }

  /** @param fresh forgets jobs */
  startController(fresh = false): void {
    this.#run('slurmctld', ['-i', ...(fresh ? ['-c'] : [])]);
  }

  startNode(node: Node): void {
    this.#run('slurmd', ['-N', node]);
  }

  /** The controller ends; jobs go on. */
  async stopController(): Promise<void> {
    await this.#end('slurmctld.pid', 'SIGTERM');
  }

  /** The node loses power: its daemon and everything that it started. */
  async killNode(node: Node): Promise<void> {
    const pid = Number(readFileSync(join(this.folder, `slurmd-${node}.pid`), 'utf8'));
    process.kill(pid, 'SIGKILL');
    for (const victim of this.processesOn(node)) kill(victim);
    await sleep(100);
  }

  /** Processes of jobs on a node; those that supervise them come first, so that they cannot tell. */
  processesOn(node: Node): number[] {
    const conf = `SLURM_CONF=${this.env.SLURM_CONF}\0`;
    const own = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const environment = readProc(pid, 'environ');
        return environment.includes(`SLURMD_NODENAME=${node}\0`) && environment.includes(conf);
      });
    const supervisors = own
      .map((pid) => Number(/PPid:\s*(\d+)/.exec(readProc(pid, 'status'))?.[1]))
      .filter((pid) => readProc(pid, 'cmdline').startsWith('slurmstepd'));
    return [...new Set([...supervisors, ...own])];
  }

  async stop(): Promise<void> {
    const { status } = spawnSync('scancel', ['--user', userInfo().username], {
      env: this.env,
      timeout: 5000,
    });
    if (status === 0) await sleep(500);
    for (const node of NODES) for (const pid of this.processesOn(node)) kill(pid);
    for (const name of readdirSync(this.folder).filter((file) => file.endsWith('.pid')))
      await this.#end(name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  ask(program: string, ...args: string[]): string {
    return execFileSync(program, args, {
      env: this.env,
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Logs of the daemons, for a test that fails. */
  logs(): string {
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('.log'))
      .map(
        (name) =>
          `==> ${name}\n${readFileSync(join(this.folder, name), 'utf8').split('\n').slice(-30).join('\n')}`,
      )
      .join('\n');
  }

  async until(what: string, isTrue: () => boolean, seconds = 300): Promise<void> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(200)) {
      try {
        if (isTrue()) return;
      } catch {
        // A daemon that is still starting.
      }
    }
    throw new Error(`not within ${seconds} s: ${what}\n${this.logs()}`);
  }

  #run(program: string, args: string[]): void {
    execFileSync(program, args, { env: this.env, cwd: this.folder, stdio: 'ignore' });
  }

  async #end(file: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const path = join(this.folder, file);
    if (!existsSync(path)) return;
    const pid = Number(readFileSync(path, 'utf8'));
    kill(pid, signal);
    while (!isGone(pid)) await sleep(50);
    rmSync(path, { force: true });
  }

  /** Times are as short as Slurm lets them be, so that nodes are missed and jobs come back within seconds. */
  #configuration(controller: number, ports: readonly number[]): string {
    const { username } = userInfo();
    const nodes = NODES.map(
      (node, i) =>
        `NodeName=${node} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=2 RealMemory=1000`,
    );
    return `ClusterName=mtcp-test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${username}
SlurmdUser=${username}
AuthType=auth/munge
AuthInfo=socket=${this.folder}/munge.socket,cred_expire=5
StateSaveLocation=${this.folder}/state
SlurmdSpoolDir=${this.folder}/spool-%n
SlurmctldPidFile=${this.folder}/slurmctld.pid
SlurmdPidFile=${this.folder}/slurmd-%n.pid
SlurmctldLogFile=${this.folder}/slurmctld.log
SlurmdLogFile=${this.folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,batch_sched_delay=0,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SlurmdTimeout=6
KillWait=10
CompleteWait=0
${nodes.join('\n')}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
  }
}

function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Empty if the process has ended. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

const isGone = (pid: number): boolean => !/State:\s*[^ZX]/.test(readProc(pid, 'status'));

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
