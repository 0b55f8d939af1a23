// A process that hears nothing, for it is inside one long call, ends after its parent all the same.
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const MODULE = new URL('../../../runners/support/parent.js', import.meta.url).href;

describe('a process that works for another one', () => {
  it('does not outlive it, whatever it is doing', async function () {
    this.timeout(20_000);
    const deaf = `
      const { dieWith } = await import(${JSON.stringify(MODULE)});
      dieWith(process.ppid, 300);
      await new Promise((done) => setTimeout(done, 200));
      console.log(process.pid);
      for (;;);`;
    // The parent starts it, waits for its number, and dies.
    const parent = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(deaf)}], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
      child.stdout.once('data', (text) => { process.stdout.write(text); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300); });`;
    const process_ = spawn(process.execPath, ['--eval', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    process_.stdout.on('data', (text) => (printed += text));
    await new Promise((done) => process_.on('exit', done));
    const pid = Number(printed);
    expect(pid).to.be.above(0);
    const running = () => {
      try {
        // A zombie that nobody has reaped has ended.
        return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      } catch {
        return false;
      }
    };
    expect(running()).to.equal(true);
    for (let i = 0; i < 100 && running(); i++) await sleep(100);
    expect(running()).to.equal(false);
  });
});
