// Arrays on their way to a device and back, on XLA's CPU plugin.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { PjrtClient } from '../../../../runners/engine/xla/client.js';
import { openClient } from '../../../../runners/engine/xla/runtime.js';
import { addresses } from '../../../../runners/engine/xla/structs.js';
import { xlaPlugin } from '../../../support/oracle.js';
import { requireXla } from '../../../support/xla/plugin.js';

describe('lists of addresses', () => {
  it('keep alive what they point to', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const made = (list: (memory: Buffer) => Buffer): [Buffer, WeakRef<Buffer>] => {
      const memory = Buffer.alloc(1 << 20);
      return [list(memory), new WeakRef(memory)];
    };
    const [list, held] = made((memory) => addresses([memory]));
    const [, free] = made(() => Buffer.alloc(8));
    return new Promise<void>((resolve) => setTimeout(resolve)).then(() => {
      collect();
      expect(free.deref(), 'nothing else holds it').to.equal(undefined);
      expect(held.deref()).to.have.length(1 << 20);
      expect(list).to.have.length(8);
    });
  });
});

describe('a client of XLA', function () {
  this.timeout(120_000);
  let client: PjrtClient;

  before(function () {
    requireXla(this);
    client = openClient(xlaPlugin!);
  });

  it('has copied an array when it returns, and holds no thread until the device has it', async () => {
    const { api } = client;
    const { callAsync } = api;
    const onThreads: string[] = [];
    api.callAsync = (name, values) => {
      onThreads.push(name);
      return callAsync.call(api, name, values) as never;
    };
    const data = new Float32Array(1 << 16).fill(3);
    try {
      const upload = client.upload(data, 'float32', [1 << 16]);
      data.fill(5);
      const buffer = await upload;
      expect(onThreads).to.deep.equal([]);
      await buffer.read(data);
      buffer.destroy();
    } finally {
      api.callAsync = callAsync;
    }
    expect(data.every((x) => x === 3)).to.equal(true);
  });

  it('reads arrays by rows, however they lie on the device', async () => {
    const program = (layout: string) => `module { func.func public @main(%x: tensor<2x3xf32>) ->
      (tensor<2x3xf32> {mhlo.layout_mode = "${layout}"}) {
      %y = stablehlo.add %x, %x : tensor<2x3xf32>
      return %y : tensor<2x3xf32> } }`;
    for (const layout of ['default', '{1,0}', '{0,1}']) {
      const executable = await client.compile(program(layout));
      const input = await client.upload(Float32Array.of(1, 2, 3, 4, 5, 6), 'float32', [2, 3]);
      const [output] = await executable.execute([input]);
      const data = new Float32Array(6);
      await output.read(data);
      expect([...data], layout).to.deep.equal([2, 4, 6, 8, 10, 12]);
      for (const each of [input, output, executable]) each.destroy();
    }
  });

  it('counts an output once that takes the memory of an input', async () => {
    const program = (
      attribute: string,
    ) => `module { func.func public @main(%x: tensor<1000xf32>${attribute}) ->
      (tensor<1000xf32>) {
      %y = stablehlo.add %x, %x : tensor<1000xf32>
      return %y : tensor<1000xf32> } }`;
    const bytesOf = async (attribute: string) => {
      const executable = await client.compile(program(attribute));
      const { memory } = executable;
      executable.destroy();
      return memory!.arguments + memory!.outputs;
    };
    expect(await bytesOf('')).to.equal(8000);
    expect(await bytesOf(' {tf.aliasing_output = 0 : i32}')).to.equal(4000);
  });
});
