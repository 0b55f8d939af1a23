// Encoded modules are valid WebAssembly and compute what they say.
import { expect } from 'chai';
import type { Memory } from '../../../../modules/support/wasm/api.js';
import { f32x4, i32, load, op, repeatWhile, store } from '../../../../modules/support/wasm/instructions.js';
import { WasmModule } from '../../../../modules/support/wasm/module.js';

function instance<Functions>(module: WasmModule): { memory: Memory; functions: Functions } {
  const { memory, exports } = module.instantiate();
  return { memory, functions: exports as Functions };
}

describe('WebAssembly modules', () => {
  it('encodes integers of every length and sign', () => {
    const numbers = [0, 1, 63, 64, 127, 128, 8191, 8192, 2 ** 30, 2 ** 31 - 1];
    const all = [...numbers, ...numbers.map((n) => -n), -(2 ** 31)];
    const module = new WasmModule(1);
    all.forEach((n, i) => module.define(`f${i}`, [], () => [i32(n)]));
    const { functions } = instance<Record<string, () => number>>(module);
    expect(all.map((_, i) => functions[`f${i}`]())).to.deep.equal(all.map((n) => n + 0));
  });

  it('loops over memory at an offset, with parameters and variables', () => {
    const [from, to] = [1 << 14, 1 << 15];
    const module = new WasmModule(1);
    module.define('double', ['i32', 'i32'], (declare, at, end) => {
      const x = declare('v128');
      return [
        repeatWhile(
          [
            x.set(load('v128.load', at.get(), from)),
            store(at.get(), op('f32x4.add', op('f32x4.mul', x.get(), f32x4(2)), f32x4(0.5)), to),
            at.set(op('i32.add', at.get(), i32(16))),
          ],
          op('i32.lt_u', at.get(), end.get()),
        ),
      ];
    });
    const { memory, functions } = instance<{ double(at: number, end: number): void }>(module);
    const source = new Float32Array(memory.buffer, from, 12).map((_, i) => i);
    new Float32Array(memory.buffer, from, 12).set(source);
    functions.double(16, 48);
    const expected = [0, 0, 0, 0, ...source.subarray(4).map((x) => 2 * x + 0.5)];
    expect([...new Float32Array(memory.buffer, to, 12)]).to.deep.equal(expected);
  });
});
