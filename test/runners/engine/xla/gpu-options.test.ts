// Options of plugins for GPUs.
import { expect } from 'chai';
import { MtcpError } from '../../../../registry/errors.js';
import { gpuOptions } from '../../../../runners/engine/xla/gpu-options.js';
import { closeClients, openClient } from '../../../../runners/engine/xla/runtime.js';
import { cudaPlugin } from '../../../support/oracle.js';
import { pending } from '../../../support/pending.js';

describe('a GPU', () => {
  const NAMES = ['XLA_PYTHON_CLIENT_PREALLOCATE', 'XLA_PYTHON_CLIENT_ALLOCATOR', 'XLA_CLIENT_MEM_FRACTION'];
  const before = NAMES.map((name) => process.env[name]);

  afterEach(() =>
    NAMES.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    }),
  );

  const cuda = { variant: 'cuda13', path: '/opt/plugin.so' };

  it("is shared by JAX's environment variables", () => {
    expect(gpuOptions(cuda, {})).to.deep.equal({});
    expect(
      gpuOptions(cuda, {
        XLA_PYTHON_CLIENT_PREALLOCATE: 'false',
        XLA_PYTHON_CLIENT_ALLOCATOR: 'BFC',
        XLA_PYTHON_CLIENT_MEM_FRACTION: '.5',
      }),
    ).to.deep.equal({ preallocate: false, allocator: 'bfc', memory_fraction: { float: 0.5 } });
    expect(gpuOptions(cuda, { XLA_PYTHON_CLIENT_PREALLOCATE: 'true' })).to.deep.equal({ preallocate: true });
    for (const wrong of ['half', '0', '-1'])
      expect(() => gpuOptions(cuda, { XLA_CLIENT_MEM_FRACTION: wrong }))
        .to.throw(MtcpError, `"${wrong}" is no share`)
        .with.property('where', 'XLA_CLIENT_MEM_FRACTION');
  });

  it("of AMD's is looked for by name", () => {
    const path = '/opt/jax_plugins/xla_rocm7/xla_rocm_plugin.so';
    for (const variant of ['rocm', 'path'])
      expect(gpuOptions({ variant, path }, {})).to.deep.equal({ platform_name: 'ROCM' });
  });

  it('is told to the plugin in the types that it takes, and an absent GPU is said so', function () {
    this.timeout(120_000);
    if (!cudaPlugin) pending(this, '`mtcp engine install xla:cuda13` installs the plugin');
    // Options are checked before devices are looked for.
    const opened = (): MtcpError | undefined => {
      try {
        openClient(cudaPlugin);
        closeClients(cudaPlugin);
        return undefined;
      } catch (error) {
        if (!MtcpError.is(error, 'engine')) throw error;
        return error;
      }
    };
    process.env.XLA_PYTHON_CLIENT_ALLOCATOR = 'nonsense';
    expect(opened()!.message).to.contain('nonsense');
    process.env.XLA_PYTHON_CLIENT_ALLOCATOR = 'bfc';
    process.env.XLA_PYTHON_CLIENT_PREALLOCATE = 'false';
    process.env.XLA_CLIENT_MEM_FRACTION = '1';
    const absent = opened();
    if (!absent) return;
    expect(absent.message).to.match(/no visible gpu/i);
    expect(absent.hint).to.contain('nvidia-smi').and.to.contain('--engine onnx');
  });
});
