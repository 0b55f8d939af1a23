import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { ROOT, temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

describe('folders with what is missing above them', () => {
  it('are made with the mode that is asked for, and left alone if they are there', () => {
    const folder = join(temporaryFolder(), 'a', 'b', 'c');
    makeFolder(folder, 0o700);
    writeFileSync(join(folder, 'kept'), '');
    makeFolder(folder);
    expect(readdirSync(folder)).to.deep.equal(['kept']);
    for (const path of [folder, join(folder, '..')]) expect(statSync(path).mode & 0o777).to.equal(0o700);
  });

  it('fail with what is in the way', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).to.throw(/EEXIST/);
    expect(() => makeFolder(join(file, 'below', 'it'))).to.throw(/ENOTDIR/);
  });

  it('fail at once where the system makes none', function () {
    if (!existsSync('/proc/self')) pending(this, 'needs /proc');
    // In a process of its own: a loop inside one call could not be interrupted from here.
    const module = new URL('../../../registry/support/make-folder.js', import.meta.url).href;
    const script = `(await import(${JSON.stringify(module)})).makeFolder('/proc/x/y');`;
    const { status, stderr, signal } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' },
    );
    expect(signal, 'it did not end').to.equal(null);
    expect(status).to.equal(1);
    expect(stderr).to.match(/ENOENT|EACCES|EPERM/);
  });

  it('are made by no other means', () => {
    for (const part of ['registry', 'modules', 'runners'])
      for (const file of readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue;
        const found = /mkdir(Sync)?\([^;]*recursive: true/.test(readFileSync(join(ROOT, part, file), 'utf8'));
        // The copy of TensorFlow.js lies in the package itself.
        expect(found, file).to.equal(part === 'registry' && file === 'tf.ts');
      }
  });
});
