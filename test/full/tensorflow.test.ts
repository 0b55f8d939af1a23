// The `tensorflow` engine, built from what npm and PyPI have, trains as the default one does.
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { inRepository } from './support/python.js';

describe('engine tensorflow', () => {
  it('is built from source and gives what onnx gives', () => {
    execFileSync(inRepository('scripts/build-tfjs-node.sh'), { stdio: 'inherit' });
    const test = inRepository('dist/test/runners/engine/engines.test.js');
    const mocha = inRepository('node_modules/mocha/bin/mocha.js');
    const args = [mocha, '--no-config', '--reporter', 'json', '--grep', 'tensorflow gives', test];
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8' });
    const { stats } = JSON.parse(printed.slice(printed.indexOf('{\n'))) as {
      stats: { passes: number; pending: number; failures: number };
    };
    expect(stats).to.include({ passes: 1, pending: 0, failures: 0 });
  });
});
