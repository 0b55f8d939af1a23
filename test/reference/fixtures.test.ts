import { expect } from 'chai';
import { namedValues, readModel, readTensors, sampledCells } from './fixtures.js';

describe('reference fixtures', () => {
  it('draw the same numbers as Python', () => {
    const parts = readTensors('parts.safetensors');
    for (const name of ['layer_norm/input', 'deformable_attention/position', 'adamw/initial']) {
      const stored = parts.get(name)!.data;
      expect([...namedValues(name, stored.length, 0, 1.7)]).to.deep.equal([...stored]);
    }
  });

  it('sample small tensors whole and visit every column of even widths', () => {
    expect(sampledCells(128)).to.have.length(128);
    const cells = sampledCells(64 * 32);
    expect(cells.length).to.be.at.most(128);
    expect(new Set(cells.map((cell) => cell % 32)).size).to.equal(32);
  });

  it('line up their flat vectors with their tables', () => {
    for (const name of ['paper', 'code', 'single-depth']) {
      const { parameters, buffers, tensors } = readModel(name);
      const total = (lengths: number[]) => lengths.reduce((sum, n) => sum + n, 0);
      expect(total(parameters.map((p) => p.gradient.length))).to.equal(tensors.get('gradient')!.data.length);
      expect(total(buffers.map((b) => b.after.length))).to.equal(tensors.get('buffers')!.data.length);
      for (const { name: parameter, cells, initial, after } of parameters) {
        // A step of AdamW at a rate of 3e-5 with a decay of 0.5 moves no weight by more.
        const moved = cells.map((cell, i) => Math.abs(after![i] - initial[cell]));
        expect(Math.max(...moved), parameter).to.be.below(1.1e-4);
      }
      for (const p of parameters.filter((p) => p.cells.length === p.initial.length)) {
        expect(Math.hypot(...p.gradient), p.name).to.be.closeTo(
          p.gradientNorm,
          1e-5 * p.gradientNorm + 1e-10,
        );
      }
    }
  });
});
