// The list of operations in docs/extending.md is the list of the recording engine's kernels.
// MTCP_UPDATE_GOLDEN=1 writes it again.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/nn/ops/gaps.js';
import * as tf from '../../../registry/tf.js';
import '../../../runners/engine/kernels/index.js';
import { supportedKernels } from '../../../runners/engine/kernels/refused.js';
import { ROOT } from '../../support/rooms.js';

/** Operations that are not called as their kernels are. */
const NAMES: Record<string, string> = {
  BatchMatMul: 'matMul',
  GatherNd: 'gatherND',
  GatherV2: 'gather',
  Identity: 'clone',
  IsNan: 'isNaN',
  LinSpace: 'linspace',
  Multiply: 'mul',
  Pack: 'stack',
  PadV2: 'pad',
  RealDiv: 'div',
  Select: 'where',
  SplitV: 'split',
  TopK: 'topk',
  Unpack: 'unstack',
};
/** Kernels of gradients alone. */
const INTERNAL = new Set(['EluGrad']);
/** No tensor goes in: there is nothing to differentiate. */
const CONSTANT = new Set(['Fill', 'LinSpace', 'Range']);

const nameOf = (kernel: string) => NAMES[kernel] ?? kernel[0].toLowerCase() + kernel.slice(1);

describe('operations that can be recorded', () => {
  it('are those that docs/extending.md lists', () => {
    const kernels = supportedKernels.filter((kernel) => !INTERNAL.has(kernel));
    for (const kernel of kernels)
      expect((tf as Record<string, unknown>)[nameOf(kernel)], nameOf(kernel)).to.be.a('function');
    const differentiable = (kernel: string) => CONSTANT.has(kernel) || tf.getGradient(kernel) !== undefined;
    const list = (chosen: readonly string[]) => chosen.map((kernel) => `\`${nameOf(kernel)}\``).toSorted();
    const lines = [
      ...wrapped(`With a gradient: ${list(kernels.filter(differentiable)).join(', ')}.`),
      '',
      ...wrapped(`Without: ${list(kernels.filter((kernel) => !differentiable(kernel))).join(', ')}.`),
    ];
    const file = join(ROOT, 'docs/extending.md');
    const [start, end] = ['<!-- recorded operations -->\n', '<!-- end -->'];
    const text = readFileSync(file, 'utf8');
    const [before, rest] = text.split(start);
    const expected = `${before}${start}\n${lines.join('\n')}\n\n${rest.slice(rest.indexOf(end))}`;
    if (process.env.MTCP_UPDATE_GOLDEN) writeFileSync(file, expected);
    expect(readFileSync(file, 'utf8')).to.equal(expected);
  });
});

/** Lines of at most 110 characters, as prettier would leave them. */
function wrapped(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line.length + word.length >= 110) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
