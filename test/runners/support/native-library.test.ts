import { expect } from 'chai';
import { callOnThread, loadLibrary, type AsyncFunction } from '../../../runners/support/native-library.js';

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
});
