// One trial on every engine that this machine has: the same losses and the same weights after two steps. And what is
// said about engines that it has not.
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trialSteps, type TrialSteps } from '../../../runners/app/doctor/trial-steps.js';
import { openExperiment } from '../../../runners/config/open.js';
import { createEngine, type EngineChoice } from '../../../runners/engine/index.js';
import { MtcpError } from '../../../registry/errors.js';
import { TABLE3 } from '../../support/rooms.js';
import { expectClose } from '../../support/oracle.js';
import { rejection } from '../../support/reference.js';
import { pending } from '../../support/pending.js';

const installed = (name: string): boolean => {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
};

async function train(choice: EngineChoice): Promise<TrialSteps> {
  const engine = await createEngine(choice, 2);
  try {
    return await trialSteps(engine);
  } finally {
    engine.close();
  }
}

describe('engines', function () {
  this.timeout(120_000);
  let expected: TrialSteps;
  before(async () => (expected = await train({ type: 'onnx', provider: 'cpu' })));

  const others: [EngineChoice, string][] = [
    [{ type: 'cpu' }, '@tensorflow/tfjs-core'],
    [{ type: 'wasm' }, '@tensorflow/tfjs-backend-wasm'],
    [{ type: 'tensorflow' }, '@tensorflow/tfjs-node'],
  ];
  for (const [choice, needed] of others)
    it(`${choice.type} gives what onnx gives`, async function () {
      if (!installed(needed)) pending(this, `npm install ${needed}`);
      const { losses, weights } = await train(choice);
      // AdamW's first step is the sign of the gradient where that is next to nothing, so the second step's losses
      // agree less well than the first's.
      expectClose(losses[0], expected.losses[0], 1e-5, 'losses of the first step');
      expectClose(losses[1], expected.losses[1], 2e-3, 'losses of the second step');
      for (const [name, values] of expected.weights) expectClose(weights.get(name)!, values, 5e-3, name, 0.1);
    });

  it('tensorflow says how to get it where it is not', async function () {
    if (installed('@tensorflow/tfjs-node') || installed('@tensorflow/tfjs-node-gpu'))
      pending(this, 'it is here');
    const error = await rejection(createEngine({ type: 'tensorflow' }, 1));
    expect(error.message).to.contain('@tensorflow/tfjs-node: not installed');
    expect(error.hint).to.contain('scripts/build-tfjs-node.sh');
  });

  it('cuda says which file is missing', async function () {
    // An empty folder instead of the package's, so that the test means the same on machines with a GPU.
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-ort-'));
    const { appendProvider } = await import('../../../runners/engine/ort/providers.js');
    const { loadOrt } = await import('../../../runners/engine/ort/library.js');
    const ort = loadOrt();
    const before = process.env.MTCP_ONNXRUNTIME;
    process.env.MTCP_ONNXRUNTIME = folder;
    try {
      expect(() => appendProvider(ort, 0n, 'cuda'))
        .to.throw(MtcpError)
        .with.property('message')
        .that.contains(join(folder, 'libonnxruntime_providers_cuda.so'));
    } finally {
      if (before === undefined) delete process.env.MTCP_ONNXRUNTIME;
      else process.env.MTCP_ONNXRUNTIME = before;
      rmSync(folder, { recursive: true });
    }
  });

  it('are chosen by an argument, which is checked', () => {
    const open = (engine: string, threads?: number) =>
      openExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP'], engine, threads }).trials[0].config.engine;
    expect(open('onnx:cuda', 3)).to.deep.equal({ type: 'onnx', provider: 'cuda', threads: 3 });
    expect(open('wasm')).to.deep.equal({ type: 'wasm' });
    const fails = (engine: string, threads?: number) => {
      try {
        open(engine, threads);
      } catch (error) {
        return (error as MtcpError).format();
      }
      return '';
    };
    expect(fails('onx')).to.contain('there is no engine "onx"').and.contain('did you mean "onnx"?');
    expect(fails('onnx:gpu')).to.contain('onnx has no provider "gpu"');
    expect(fails('wasm:cpu')).to.contain('only onnx and xla have variants');
    expect(open('xla')).to.deep.equal({ type: 'xla', plugin: null, precision: 'float32', devices: 1 });
    expect(open('xla:cuda13')).to.deep.equal({
      type: 'xla',
      plugin: 'cuda13',
      precision: 'float32',
      devices: 1,
    });
    expect(open('xla:/opt/my plugin.so')).to.deep.equal({
      type: 'xla',
      plugin: '/opt/my plugin.so',
      precision: 'float32',
      devices: 1,
    });
    expect(fails('xla:cuda')).to.contain('there is no XLA plugin "cuda"').and.contain('"cuda13"');
    expect(fails('cuda')).to.contain('onnx:cuda or xla:cuda13 or xla:cuda12');
    expect(fails('wasm', 2)).to.contain('the engine "wasm" has one thread');
  });
});
