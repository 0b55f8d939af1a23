// The WebGPU provider on SwiftShader, the Vulkan driver without a GPU that comes with Chromium: what a session reads
// is what its arrays hold when it runs, and training steps are those of the CPU.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Probed } from '../../../runners/app/doctor/probe.js';
import { BROWSER } from '../../support/browser.js';
import { pending } from '../../support/pending.js';
import { ROOT } from '../../support/rooms.js';

const DRIVER = 'vk_swiftshader_icd.json';
const FOLDER = [BROWSER && dirname(realpathSync(BROWSER)), '/usr/lib/chromium'].find(
  (folder) => folder && existsSync(join(folder, DRIVER)) && existsSync(join(folder, 'libvulkan.so.1')),
);

describe('WebGPU', function () {
  this.timeout(600_000);
  let libraries: string;

  before(function () {
    if (!FOLDER || process.platform !== 'linux')
      pending(this, 'SwiftShader is not here; it comes with Chromium (apt-get install chromium)');
    // The loader of Vulkan alone: Chromium's other libraries are no business of Node's.
    libraries = mkdtempSync(join(tmpdir(), 'mtcp-vulkan-'));
    symlinkSync(join(FOLDER, 'libvulkan.so.1'), join(libraries, 'libvulkan.so.1'));
  });
  after(() => libraries && rmSync(libraries, { recursive: true }));

  /** Prints JSON from a module that is run where the driver is found. */
  function onSwiftShader(script: string): unknown {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(ROOT, 'dist'),
      encoding: 'utf8',
      env: {
        ...process.env,
        LD_LIBRARY_PATH: libraries,
        VK_ICD_FILENAMES: join(FOLDER!, DRIVER),
      },
    });
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  }

  it('reads its inputs at every run, from several bindings at a time', () => {
    const script = `
      import * as tf from './registry/tf.js';
      import { hostTensor } from './runners/engine/engine.js';
      import { createEngine } from './runners/engine/index.js';
      const engine = await createEngine({ type: 'onnx', provider: 'webgpu' }, 2);
      const program = await engine.compile('x', (tracer) => {
        const [a, b] = ['a', 'b'].map((name) => tracer.input(name, 'float32', [4, 4]));
        const y = tf.matMul(a, b, false, true).add(a.mul(b)).sum(1);
        return { y, z: tf.logSoftmax(a.mul([1, 2, 3, 4])).sum(1) };
      });
      const bound = [0, 1, 2].map(() => {
        const tensors = {};
        const binding = program.bind((name, spec) => (tensors[name] = hostTensor(spec)));
        return { tensors, binding };
      });
      const results = [];
      for (const round of [1, 2]) {
        bound.forEach(({ tensors: { a, b } }, i) => (a.data.fill(i + round), b.data.fill(2 * round)));
        await Promise.all(bound.map(({ binding }) => binding.run()));
        results.push(bound.map(({ tensors: { y, z } }) => [y.data[3], z.data[3]]));
      }
      console.log(JSON.stringify({ lanes: program.lanes, results }));
      process.exit(0);`;
    const { lanes, results } = onSwiftShader(script) as { lanes: number; results: number[][][] };
    expect(lanes).to.equal(1);
    for (const [r, round] of [1, 2].entries())
      for (const i of [0, 1, 2]) {
        const [a, b] = [i + round, 2 * round];
        expect(results[r][i][0]).to.be.closeTo(4 * 4 * a * b + 4 * a * b, 1e-3);
        const logits = [1, 2, 3, 4].map((n) => n * a);
        const sum = Math.log(logits.reduce((total, x) => total + Math.exp(x), 0));
        expect(results[r][i][1]).to.be.closeTo(
          logits.reduce((total, x) => total + x - sum, 0),
          1e-3,
        );
      }
  });

  it('trains a smoke row as the CPU does, and says which operators the CPU took over', () => {
    const script = `
      import { train } from './runners/app/doctor/probe.js';
      console.log(JSON.stringify(await train({ type: 'onnx', provider: 'webgpu' }, 2, 'STL depth')));
      process.exit(0);`;
    const training = onSwiftShader(script) as NonNullable<Probed['training']>;
    expect(training.difference).to.be.below(1e-4);
    const { operators, of, kinds } = training.onCpu!;
    expect(of).to.be.above(500);
    // Shapes and constants; no product, no loss.
    expect(operators).to.be.below(20);
    expect(kinds).not.to.include.members(['MatMul']);
    expect(kinds).not.to.include.members(['LogSoftmax']);
  });
});
