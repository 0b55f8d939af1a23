// Precision of products and convolutions as XLA reads it.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as tf from '../../../../../registry/tf.js';
import { conv2d } from '../../../../../modules/nn/ops/convolution.js';
import type { ConvAttributes } from '../../../../../registry/contracts/operations.js';
import { TARGETS } from '../../../../../runners/engine/graph/target.js';
import { record } from '../../../../../runners/engine/recording.js';
import type { Precision } from '../../../../../runners/engine/xla/lowering/index.js';
import { lowerGraph } from '../../../../../runners/engine/xla/session.js';
import { cudaPlugin } from '../../../../support/oracle.js';
import { pending } from '../../../../support/pending.js';
import { temporaryFolder } from '../../../../support/rooms.js';

const ENGINE = new URL('../../../../../runners/engine/xla/', import.meta.url);

describe('a convolution for XLA', () => {
  /** A convolution, or its gradients. */
  const lowered = async (precision: Precision, channels: number, withGradients: boolean, stride = 1) => {
    const { graph, outputs } = await record(
      (tracer): tf.NamedTensorMap => {
        const x = tracer.input('x', 'float32', [2, 16, 16, channels]) as tf.Tensor4D;
        const filter = tracer.input('filter', 'float32', [channels, channels, 3, 3]) as tf.Tensor4D;
        const how: ConvAttributes = {
          stride: [stride, stride],
          padding: [1, 1, 1, 1],
          dilation: [1, 1],
          groups: 1,
        };
        const y = (x: tf.Tensor, filter: tf.Tensor) => conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, how);
        if (!withGradients) return { y: y(x, filter) };
        const [dx, df] = tf.grads((a, b) => y(a, b).square().sum())([x, filter]);
        return { dx, df };
      },
      { target: TARGETS.xla },
    );
    return lowerGraph(graph, outputs, new Map(), undefined, precision).text;
  };

  it('has operands and result of one type: XLA for GPUs has no other', async () => {
    for (const precision of ['float32', 'tf32', 'bfloat16'] as const) {
      const text = await lowered(precision, 8, true);
      const lines = text.split('\n').filter((line) => line.includes('stablehlo.convolution'));
      expect(lines).to.have.length(3);
      for (const line of lines) {
        const types = [...line.matchAll(/x(b?f\d+)>/g)].map(([, type]) => type);
        const wanted = precision === 'bfloat16' ? 'bf16' : 'f32';
        expect(types, line).to.deep.equal([wanted, wanted, wanted]);
        expect(line).to.contain(precision === 'float32' ? 'HIGHEST' : 'DEFAULT');
      }
    }
  });

  it('is a gradient by its turned filter, with nothing between: XLA for GPUs tells it by that', async () => {
    for (const precision of ['float32', 'bfloat16'] as const) {
      const lines = (await lowered(precision, 8, true, 2)).split('\n');
      const [gradient, ...more] = lines.filter((line) => line.includes('lhs_dilate'));
      expect(more).to.deep.equal([]);
      const [, filter] = /stablehlo.convolution\(%\w+, (%\w+)\)/.exec(gradient)!;
      expect(lines.find((line) => line.startsWith(`${filter} = `))).to.contain('stablehlo.reverse');
    }
  });

  it('is one of bfloat16 to cuDNN', async function () {
    this.timeout(300_000);
    if (!cudaPlugin) pending(this, '`mtcp engine install xla:cuda13` installs the plugin');
    const folder = temporaryFolder();
    const [program, dumped] = [join(folder, 'program.mlir'), join(folder, 'dumped')];
    writeFileSync(program, await lowered('bfloat16', 64, false));
    // XLA reads its flags once in a process.
    const script = `
      import { readFileSync } from 'node:fs';
      import { AheadCompiler } from ${JSON.stringify(new URL('ahead.js', ENGINE).href)};
      import { CompiledPrograms } from ${JSON.stringify(new URL('compiled.js', ENGINE).href)};
      const [program, folder, plugin] = process.argv.slice(1);
      await new AheadCompiler('h100', new CompiledPrograms(folder), plugin).compile(readFileSync(program, 'utf8'));`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, program, folder, cudaPlugin],
      {
        env: {
          ...process.env,
          TF_CPP_MIN_LOG_LEVEL: undefined,
          XLA_FLAGS: `--xla_dump_to=${dumped} --xla_dump_hlo_as_text`,
        },
        encoding: 'utf8',
      },
    );
    expect(status, stderr).to.equal(0);
    expect(stderr, 'what the plugin does is not told on a terminal').to.not.match(/^I\d{4} /m);
    const optimized = readdirSync(dumped).find((name) => name.endsWith('after_optimizations.txt'))!;
    const calls = readFileSync(join(dumped, optimized), 'utf8')
      .split('\n')
      .filter((line) => line.includes('__cudnn$conv'));
    expect(calls).to.have.length(1);
    expect(calls[0]).to.match(/= \(bf16\[/);
  });
});
