// The cache of compiled programs, and compilation for a device that is not here.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../../registry/errors.js';
import { AheadCompiler } from '../../../../runners/engine/xla/ahead.js';
import { CompiledPrograms } from '../../../../runners/engine/xla/compiled.js';
import { openClient } from '../../../../runners/engine/xla/runtime.js';
import { untilDone } from '../../../../runners/engine/xla/session.js';
import { cudaPlugin, xlaPlugin } from '../../../support/oracle.js';
import { pending } from '../../../support/pending.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { requireXla } from '../../../support/xla/plugin.js';

const PROGRAM = `module { func.func public @main(%x: tensor<4xf32>) -> (tensor<4xf32>) {
%y = stablehlo.add %x, %x : tensor<4xf32>
return %y : tensor<4xf32> } }`;

describe('compiled programs', () => {
  const about = { plugin: import.meta.filename, version: '0.116', device: 'a' };
  const options = Uint8Array.of(1);

  it('have another key for another program, device, plugin or option', () => {
    const stored = new CompiledPrograms(temporaryFolder());
    const keys = [
      stored.keyOf(about, 'p', options),
      stored.keyOf(about, 'q', options),
      stored.keyOf(about, 'p', Uint8Array.of(2)),
      stored.keyOf({ ...about, device: 'b' }, 'p', options),
      stored.keyOf({ ...about, version: '0.117' }, 'p', options),
      stored.keyOf({ ...about, plugin: import.meta.dirname }, 'p', options),
    ];
    expect(new Set(keys).size).to.equal(keys.length);
    expect(stored.keyOf(about, 'p', options)).to.equal(keys[0]);
  });

  it("have another key for other versions of NVIDIA's libraries, whose kernels they name", () => {
    const packages = temporaryFolder();
    const plugin = join(packages, 'jax_plugins', 'xla_cuda13', 'xla_cuda_plugin.so');
    mkdirSync(join(plugin, '..'), { recursive: true });
    writeFileSync(plugin, '');
    const stored = new CompiledPrograms(temporaryFolder());
    const key = () => stored.keyOf({ ...about, plugin }, 'p', options);
    const keys = [key()];
    for (const name of ['nvidia_cudnn_cu13-9.12.0.dist-info', 'nvidia_cudnn_cu13-9.13.0.dist-info']) {
      mkdirSync(join(packages, name));
      keys.push(key());
      rmSync(join(packages, name), { recursive: true });
    }
    mkdirSync(join(packages, 'numpy-2.0.0.dist-info'));
    expect(key()).to.equal(keys[0]);
    expect(new Set(keys).size).to.equal(3);
  });

  it('are not read if a bit of them has changed', () => {
    const folder = temporaryFolder();
    const stored = new CompiledPrograms(folder);
    const key = stored.keyOf(about, 'p', options);
    expect(stored.read(key)).to.equal(undefined);
    expect(stored.write(key, Buffer.from('machine code'))).to.equal(true);
    expect(stored.read(key)!.toString()).to.equal('machine code');
    const path = join(folder, readdirSync(folder)[0]);
    const file = readFileSync(path);
    file[file.length - 1] ^= 1;
    writeFileSync(path, file);
    expect(stored.read(key)).to.equal(undefined);
  });

  it('report how long they take', async () => {
    const reports: number[] = [];
    const done = await untilDone(Promise.resolve(7), (seconds) => reports.push(seconds));
    expect([done, ...reports]).to.deep.equal([7]);
  });

  it('for an unknown device are refused', () => {
    expect(() => new AheadCompiler('h10O'))
      .to.throw(MtcpError, 'neither a device')
      .with.property('hint')
      .that.contains('h100');
  });

  it('for an H100 come from the plugin for CUDA, without a GPU', async function () {
    this.timeout(300_000);
    if (!cudaPlugin) pending(this, '`mtcp engine install xla:cuda13` installs the plugin');
    const compiler = new AheadCompiler('h100', new CompiledPrograms(temporaryFolder()), cudaPlugin);
    const first = await compiler.compile(PROGRAM);
    expect(first.isKnown).to.equal(false);
    expect(first.memory!.arguments).to.equal(16);
    expect((await compiler.compile(PROGRAM)).isKnown).to.equal(true);
  });

  describe('of the CPU', function () {
    this.timeout(120_000);

    before(function () {
      requireXla(this);
    });

    it('are compiled once and give the same', async () => {
      const client = openClient(xlaPlugin!);
      const folder = temporaryFolder();
      const stored = new CompiledPrograms(folder);
      const results: number[][] = [];
      const wasStored: boolean[] = [];
      for (let i = 0; i < 3; i++) {
        const executable = await client.compile(PROGRAM, stored);
        wasStored.push(executable.isStored);
        const input = await client.upload(Float32Array.of(1, 2, 3, 4.5), 'float32', [4]);
        const [output] = await executable.execute([input]);
        const data = new Float32Array(4);
        await output.read(data);
        results.push([...data]);
        for (const each of [input, output, executable]) each.destroy();
        // The third time, the file is one that the plugin cannot read.
        if (i === 1) stored.write(readdirSync(folder)[0].replace('.bin', ''), Buffer.from('nonsense'));
      }
      expect(wasStored).to.deep.equal([false, true, false]);
      for (const result of results) expect(result).to.deep.equal([2, 4, 6, 9]);
    });
  });
});
