// Signals at any moment, as a terminal sends them: to every process of the command at once.
import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../../registry/random.js';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { ownerOf } from '../../../runners/store/ledger/lease.js';
import { mtcp, smallExperiment, trialFolderIn } from '../../support/crash.js';
import { DEPTH_ONLY, experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');
const CTRL_C = '\x03';

describe('signals', function () {
  this.timeout(600_000);

  const small = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
  const alive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };

  /**
   * The command in a terminal of its own.
   * @param after milliseconds from the line about the data, which comes right before the workers start, until
   * Ctrl-C is typed; undefined: never
   */
  async function inTerminal(args: readonly string[], after?: number) {
    const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qefc', words, '/dev/null']);
    let output = '';
    let typed = after === undefined;
    child.stdout.on('data', (text) => {
      output += text;
      if (typed || !output.includes('data: ')) return;
      typed = true;
      setTimeout(() => child.stdin.write(CTRL_C), after);
    });
    const ended = new Promise<number | null>((done) => child.on('close', done));
    return { code: await ended, output };
  }

  it('a second Ctrl-C ends at once, and one that npx passes on is no second one', async () => {
    const signals = pathToFileURL(join(ROOT, 'dist/runners/cli/signals.js')).href;
    const script = `import { takeStopSignals } from '${signals}';
      takeStopSignals(() => console.log('told'));
      setInterval(() => {}, 1000);
      console.log('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const said = (word: string) =>
      new Promise<void>((done) => {
        const look = (text: Buffer) => {
          if (!text.toString().includes(word)) return;
          child.stdout.off('data', look);
          done();
        };
        child.stdout.on('data', look);
      });
    const ended = new Promise<[number | null, string | null]>((done) =>
      child.on('close', (code, signal) => done([code, signal])),
    );
    await said('ready');
    const told = said('told');
    child.kill('SIGINT');
    await told;
    child.kill('SIGINT');
    await sleep(700);
    expect(alive(child.pid!)).to.equal(true);
    child.kill('SIGINT');
    expect(await ended).to.deep.equal([130, null]);
  });

  it('Ctrl-C at any moment of a run with several jobs gives 75 or 130, and nothing is lost', async function () {
    if (spawnSync('script', ['--version']).status !== 0) pending(this, 'there is no script(1), of bsdutils');
    const file = experimentFile(`rows: { a: ${small}, b: ${small} }\n`);
    const home = temporaryFolder();
    const args = (runs: string) => [
      'run',
      file,
      '--profile',
      'smoke',
      'train.epochs=12',
      '--jobs',
      '2',
      '--runs',
      join(home, runs),
    ];
    expect(await mtcp([...args('undisturbed'), '-q'])).to.include({ code: 0 });
    const random = randomStream('ctrl-c', 1);
    const codes: (number | null)[] = [];
    // Workers start within a second; later ones meet training.
    for (const range of [1000, 1000, 1000, 6000]) {
      const { code, output } = await inTerminal(args('disturbed'), range * random.uniform());
      codes.push(code);
      expect(code, output).to.be.oneOf([75, 130]);
      expect(output).not.to.match(/bug in mtcp|at .*\.js:\d+/);
    }
    const { code, output } = await inTerminal(args('disturbed'));
    expect(code, `${codes.join(' ')}\n${output}`).to.equal(0);
    const weights = (runs: string) =>
      readdirSync(join(home, runs, 'test'))
        .filter((name) => /-s0-/.test(name))
        .map((name) => {
          const folder = join(home, runs, 'test', name, 'checkpoints');
          return readFileSync(join(folder, readdirSync(folder).sort().at(-1)!, 'weights.safetensors'));
        });
    const [actual, expected] = [weights('disturbed'), weights('undisturbed')];
    expect(actual).to.have.length(2);
    actual.forEach((bytes, i) => expect(bytes.equals(expected[i])).to.equal(true));
  });

  const longRun = (runs: string) => [
    'run',
    smallExperiment(),
    '--profile',
    'smoke',
    'train.epochs=3000',
    'evaluate.every=3000',
    '--runs',
    runs,
    '--json',
  ];

  it('SIGHUP leaves with a checkpoint; SIGUSR1 opens no debugger', async () => {
    const runs = temporaryFolder();
    let sent = 0;
    const { code, stderr } = await mtcp(longRun(runs), {
      each: ({ event }) => (event === 'step' && sent++ < 2 ? (sent === 1 ? 'SIGUSR1' : 'SIGHUP') : undefined),
    });
    expect(code, stderr).to.equal(75);
    expect(stderr).not.to.match(/Debugger listening/);
    const events = readEvents(join(trialFolderIn(runs), 'events.jsonl'));
    expect(events.at(-1)!.event).to.equal('interrupted');
    expect(events.filter(({ event }) => event === 'checkpoint')).not.to.deep.equal([]);
  });

  it('the second of two signals that come at once is the first one again', async () => {
    const runs = temporaryFolder();
    let sent = false;
    const { code, stderr } = await mtcp(longRun(runs), {
      each: ({ event }) => {
        if (event !== 'step' || sent) return undefined;
        sent = true;
        const { pid } = ownerOf(trialFolderIn(runs))!.owner;
        setTimeout(() => process.kill(pid, 'SIGINT'), 20);
        return 'SIGINT';
      },
    });
    expect(code, stderr).to.equal(75);
  });

  it('a worker ends with its parent, however that ends', async () => {
    const runs = temporaryFolder();
    mkdirSync(runs, { recursive: true });
    let worker = 0;
    await mtcp([...longRun(runs), '--jobs', '2'], {
      each: (event) => {
        if (event.event === 'step') worker ||= ownerOf(trialFolderIn(runs))!.owner.pid;
        return worker ? 'SIGKILL' : undefined;
      },
    });
    expect(worker).to.be.above(0);
    for (let i = 0; i < 300 && alive(worker); i++) await sleep(100);
    expect(alive(worker)).to.equal(false);
    // It had the time to save.
    expect(readEvents(join(trialFolderIn(runs), 'events.jsonl')).at(-1)!.event).to.equal('interrupted');
  });
});
