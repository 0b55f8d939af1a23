// Plugins of the xla engine: where they are found, and what is said of those that cannot be used. What they compute is
// compared with the other engines by test/support/oracle.ts, in the tests of kernels and of modules/nn.
import { execFileSync, spawnSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { MtcpError } from '../../../../registry/errors.js';
import { takesDevice } from '../../../../runners/engine/index.js';
import { PjrtApi } from '../../../../runners/engine/xla/api.js';
import { ARGUMENTS, ORDER } from '../../../../runners/engine/xla/pjrt-table.js';
import { findPlugins, isForGpu, pluginFor, pluginsIn } from '../../../../runners/engine/xla/plugin.js';
import { openClient } from '../../../../runners/engine/xla/runtime.js';
import { layoutOf, Struct } from '../../../../runners/engine/xla/structs.js';
import { RECIPES } from '../../../../runners/app/engine-install.js';
import { evaluate, noise, xlaEngines, xlaPlugin } from '../../../support/oracle.js';
import { pending } from '../../../support/pending.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { requireXla } from '../../../support/xla/plugin.js';

const derive = promisify(pbkdf2);

describe('xla plugins', () => {
  /** An environment as `mtcp engine install` makes it, with an empty file for a plugin. */
  function cacheWith(...paths: string[]): { MTCP_CACHE: string } {
    const cache = temporaryFolder();
    for (const path of paths) {
      const file = join(cache, 'engines', 'env', 'lib', 'python3.12', 'site-packages', path);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, '');
    }
    return { MTCP_CACHE: cache };
  }

  it('are found in the cache by what they are for, after the one that is named', () => {
    const env = cacheWith(
      'jax_plugins/xla_cuda13/xla_cuda_plugin.so',
      'lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so',
      'jax_plugins/xla_cuda13/other.so',
    );
    const variants = (device?: string) =>
      findPlugins(env, (file) => file === device).map(({ variant }) => variant);
    expect(variants('/dev/nvidiactl')).to.deep.equal(['cuda13', 'cpu']);
    // Without a GPU it compiles ahead only.
    expect(variants()).to.deep.equal(['cpu', 'cuda13']);
    expect(variants('/dev/kfd')).to.deep.equal(['cpu', 'cuda13']);
    expect(pluginFor(undefined, env, () => true).variant).to.equal('cuda13');
    expect(pluginFor(undefined, env, () => false).variant).to.equal('cpu');
    expect(pluginFor('cpu', env).path).to.contain('pjrt_c_api_cpu_plugin.so');
    const named = { ...env, MTCP_PJRT_PLUGIN: '/opt/a plugin.so' };
    expect(pluginFor(undefined, named)).to.deep.equal({ variant: 'path', path: '/opt/a plugin.so' });
    expect(() => pluginFor('rocm', env))
      .to.throw(MtcpError, 'no PJRT plugin for rocm')
      .with.property('hint')
      .that.contains('mtcp engine install xla:rocm');
  });

  it('for a GPU come first in whatever order they were installed, and are known by their path, too', () => {
    const cache = temporaryFolder();
    for (const [name, file] of [
      ['xla-cpu', 'lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so'],
      ['xla-rocm', 'jax_plugins/xla_rocm7/xla_rocm_plugin.so'],
    ]) {
      const path = join(cache, 'engines', name, 'lib', 'python3.12', 'site-packages', file);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, '');
    }
    const found = findPlugins({ MTCP_CACHE: cache }, (file) => file === '/dev/kfd');
    expect(found.map(({ variant }) => variant)).to.deep.equal(['rocm', 'cpu']);
    expect(found.map(({ path }) => isForGpu({ variant: 'path', path }))).to.deep.equal([true, false]);
  });

  it('are found in the packages of any Python', () => {
    const packages = temporaryFolder();
    const path = join(packages, 'jax_plugins', 'xla_cuda12', 'xla_cuda_plugin.so');
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    expect(pluginsIn(['/nowhere', packages])).to.deep.equal([{ variant: 'cuda12', path }]);
  });

  it('for a GPU take it for one process', () => {
    const gpu = cacheWith('jax_plugins/xla_cuda13/xla_cuda_plugin.so');
    const cpu = cacheWith('lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so');
    const taken = (plugin: string | null, env: { MTCP_CACHE: string }) =>
      takesDevice({ type: 'xla', plugin }, env);
    expect([taken(null, gpu), taken('cuda13', gpu), taken('/opt/plugin.so', cpu)]).to.deep.equal([
      true,
      true,
      true,
    ]);
    expect([taken(null, cpu), taken('cpu', cpu), taken(pluginFor('cpu', cpu).path, gpu)]).to.deep.equal([
      false,
      false,
      false,
    ]);
    expect(takesDevice({ type: 'onnx', provider: 'cuda' })).to.equal(true);
    expect(takesDevice({ type: 'onnx', provider: 'cpu' })).to.equal(false);
  });

  it('that cannot be used are refused with a reason', () => {
    expect(() => new PjrtApi('/nowhere/plugin.so')).to.throw(MtcpError, 'there is no such file');
    const text = join(temporaryFolder(), 'plugin.so');
    writeFileSync(text, 'no library');
    expect(() => new PjrtApi(text)).to.throw(MtcpError, 'cannot be used');
  });

  describe('that are libraries of another kind', function () {
    /** A shared library of these lines of C. */
    const library = (source: string): string => {
      const folder = temporaryFolder();
      const [file, path] = ['plugin.c', 'plugin.so'].map((name) => join(folder, name));
      writeFileSync(file, source);
      execFileSync('cc', ['-shared', '-fPIC', '-o', path, file]);
      return path;
    };
    const ofVersion = (major: number, minor: number) =>
      library(`#include <stdint.h>
static struct { uint64_t size; void *more; uint64_t s; void *m; int major, minor; void *functions[200]; } api =
    { sizeof api, 0, 24, 0, ${major}, ${minor} };
const void *GetPjrtApi(void) { return &api; }`);

    before(function () {
      if (spawnSync('cc', ['--version']).status !== 0) pending(this, 'a C compiler');
    });

    it('are refused by what they lack', () => {
      expect(() => new PjrtApi(library('int nothing(void) { return 0; }'))).to.throw(
        MtcpError,
        'cannot be used',
      );
    });

    it('or by the version that they speak', () => {
      expect(() => new PjrtApi(ofVersion(1, 0))).to.throw(MtcpError, 'it speaks version 1.0');
      expect(() => new PjrtApi(ofVersion(0, 56)))
        .to.throw(MtcpError, 'mtcp speaks 0.57 and later')
        .with.property('hint')
        .that.contains('MTCP_PJRT_PLUGIN');
      expect(() => new PjrtApi(ofVersion(0, 60))).to.throw(MtcpError, 'it lacks PJRT_Plugin_Initialize');
    });
  });

  it('are called by functions that the interface has', () => {
    expect(ORDER).to.include.members(Object.keys(ARGUMENTS));
    expect(new Set(ORDER).size).to.equal(ORDER.length);
  });

  it('have recipes with pinned versions', () => {
    for (const { packages } of Object.values(RECIPES)) expect(packages[0]).to.match(/==\d/);
  });

  it('are called with structs laid out as C does', () => {
    const layout = layoutOf({ size: 'size', flag: 'bool', count: 'int', name: 'pointer', last: 'int' });
    expect(layout.offsets).to.deep.equal({ size: 0, flag: 8, count: 12, name: 16, last: 24 });
    expect(layout.size).to.equal(28);
    const struct = new Struct(layout, { size: 28, flag: true, count: -2, last: 7 });
    expect(['size', 'flag', 'count', 'last'].map((name) => struct.number(name as 'size'))).to.deep.equal([
      28, 1, -2, 7,
    ]);
  });

  describe('of the CPU', function () {
    this.timeout(60_000);

    before(function () {
      requireXla(this);
    });

    it('say what is wrong with a program', async () => {
      const error = await openClient(xlaPlugin!)
        .compile('module { nonsense }')
        .then(
          () => undefined,
          (reason: unknown) => reason as MtcpError,
        );
      expect(error).to.be.instanceOf(MtcpError);
      expect(error!.message).to.contain('nonsense');
      expect(error!.where).to.equal('PJRT_Client_Compile');
    });

    it('take a thousand arrays at once, while other work keeps the threads busy', async () => {
      const client = openClient(xlaPlugin!);
      const busy = Array.from({ length: 4 }, () => derive('password', 'salt', 100_000, 32, 'sha256'));
      const arrays = Array.from({ length: 1000 }, (_, i) => Float32Array.of(i, i + 0.5));
      const buffers = await Promise.all(arrays.map((data) => client.upload(data, 'float32', [2])));
      expect(buffers).to.have.length(1000);
      for (const buffer of buffers) buffer.destroy();
      await Promise.all(busy);
    });

    it('see what inputs hold at each run, with constants that are too large for text', async () => {
      const x = noise([40, 30]);
      const table = noise([40, 30], 'table');
      const tf = await import('../../../../registry/tf.js');
      for (const scale of [1, 3]) {
        const a = { ...x, data: Float32Array.from(x.data, (value) => value * scale) };
        const { sum } = await evaluate(xlaEngines()[0], { a }, (inputs) => ({
          sum: inputs.a.mul(tf.tensor(table.data as Float32Array, [40, 30])).sum(),
        }));
        let expected = 0;
        for (let i = 0; i < x.data.length; i++) expected += a.data[i] * table.data[i];
        expect(sum.data[0]).to.be.closeTo(expected, 1e-3);
      }
    });
  });
});
