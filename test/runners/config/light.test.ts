// Validating is for every keystroke: it must not wait for TensorFlow.js or onnxruntime to load.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { fakeSchemas, GOOD, HERE, write } from './support.js';

describe('loading an experiment', () => {
  it('loads neither TensorFlow.js nor onnxruntime', () => {
    const index = pathToFileURL(join(HERE, '../../../dist/runners/config/index.js')).href;
    const file = join(write({ 'x.yaml': GOOD }), 'x.yaml');
    const script = `
      import { Module } from 'node:module';
      import { loadExperiment } from ${JSON.stringify(index)};
      const { trials } = loadExperiment(${JSON.stringify(file)}, { schemas: ${JSON.stringify(fakeSchemas())} });
      console.log(JSON.stringify({ trials: trials.length, loaded: Object.keys(Module._cache) }));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    const { trials, loaded } = JSON.parse(output) as { trials: number; loaded: string[] };
    expect(trials).to.equal(1);
    expect(loaded.filter((name) => /node_modules.ajv./.test(name))).not.to.deep.equal([]);
    expect(
      loaded.filter((name) => /tensorflow|tfjs|onnxruntime|sharp|koffi|esbuild/.test(name)),
    ).to.deep.equal([]);
  });
});
