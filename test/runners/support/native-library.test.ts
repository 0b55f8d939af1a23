import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { callOnThread, loadLibrary, type AsyncFunction } from '../../../runners/support/native-library.js';
import { pending } from '../../support/pending.js';
import { temporaryFolder } from '../../support/rooms.js';

describe('functions of native libraries', () => {
  const libc = () => loadLibrary(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6');

  it('are called on other threads, more at once than koffi takes', async () => {
    const abs = libc().func('int abs(int)') as unknown as AsyncFunction;
    const results = await Promise.all(Array.from({ length: 2000 }, (_, i) => callOnThread(abs, -i)));
    expect(results).to.deep.equal([...Array(2000).keys()]);
  });

  it('that cannot be called leave room for others', async () => {
    const broken: AsyncFunction = {
      async() {
        throw new Error('no such call');
      },
    };
    const failed = await Promise.allSettled(Array.from({ length: 300 }, () => callOnThread(broken)));
    expect(new Set(failed.map(({ status }) => status))).to.deep.equal(new Set(['rejected']));
    const abs = libc().func('int abs(int)') as unknown as AsyncFunction;
    expect(await callOnThread(abs, -3)).to.equal(3);
  });

  it('are there until the process has ended', function () {
    if (process.platform !== 'linux' || spawnSync('cc', ['--version']).status !== 0)
      pending(this, 'a C compiler');
    const folder = temporaryFolder();
    const [source, library] = ['late.c', 'late.so'].map((name) => join(folder, name));
    // As a driver does it: a function that belongs to the process, not to the library that it is in.
    writeFileSync(
      source,
      `#include <unistd.h>
int __cxa_atexit(void (*function)(void *), void *argument, void *library);
static void bye(void *argument) { (void)!write(1, "bye", 3); }
void begin(void) { __cxa_atexit(bye, 0, 0); }`,
    );
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    const module = new URL('../../../runners/support/native-library.js', import.meta.url).href;
    const script = `const { loadLibrary } = await import('${module}');
      loadLibrary('${library}').func('void begin()')();`;
    const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect({ status, signal, stdout }).to.deep.equal({ status: 0, signal: null, stdout: 'bye' });
  });
});
