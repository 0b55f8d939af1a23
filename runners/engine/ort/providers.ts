// Execution providers run the operators of a graph. The CPU provider is always available. Others are checked before a
// session is created, so that a missing library is reported in one sentence.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { libraryFolder, type Ort, type Pointer } from './library.js';

export type Provider = 'cpu' | 'cuda' | 'webgpu';

const CUDA_LIBRARY: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime_providers_cuda.so',
  win32: 'onnxruntime_providers_cuda.dll',
};

const INSTALL =
  '`ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js` fetches it (Linux x64, Windows x64); or set MTCP_ONNXRUNTIME to the folder of libonnxruntime in another GPU build, such as onnxruntime/capi of the wheel onnxruntime-gpu';

/**
 * Adds a provider to the settings of a session; operators that it lacks run on the CPU.
 * @throws MtcpError `engine` if the provider cannot be had here, saying what is missing
 */
export function appendProvider(ort: Ort, settings: Pointer, provider: Provider): void {
  if (provider === 'cpu') return;
  if (provider === 'cuda') {
    const name = CUDA_LIBRARY[process.platform];
    if (!name) throw new MtcpError('engine', `onnxruntime has no CUDA provider for ${process.platform}`);
    const path = join(libraryFolder(), name);
    if (!existsSync(path))
      throw new MtcpError('engine', `onnxruntime's CUDA provider is not installed: there is no ${path}`, {
        hint: INSTALL,
      });
  }
  try {
    if (provider === 'cuda') {
      const cuda = ort.create('CreateCUDAProviderOptions');
      try {
        ort.call('UpdateCUDAProviderOptions', cuda, ['arena_extend_strategy'], ['kSameAsRequested'], 1);
        ort.call('SessionOptionsAppendExecutionProvider_CUDA_V2', settings, cuda);
      } finally {
        ort.release('CUDAProviderOptions', cuda);
      }
    } else ort.call('SessionOptionsAppendExecutionProvider', settings, 'WebGPU', [], [], 0);
  } catch (cause) {
    throw unusable(provider, cause);
  }
}

/** An error of onnxruntime while it starts a provider, with what usually helps. */
export function unusable(provider: Provider, cause: unknown): unknown {
  if (!MtcpError.is(cause, 'engine') || provider === 'cpu') return cause;
  const hint =
    provider === 'cuda'
      ? "the provider wants an NVIDIA driver, the CUDA that it was built for (12 as npm fetches it, 13 in PyPI's onnxruntime-gpu 1.30: libcudart, libcublas, libcufft) and cuDNN 9 where the dynamic linker looks (LD_LIBRARY_PATH); `mtcp doctor` says what is found"
      : 'the WebGPU provider wants a GPU with a Vulkan, Metal or Direct3D 12 driver';
  return new MtcpError(
    'engine',
    `onnxruntime's ${provider} provider does not start: ${reason(cause.message)}`,
    {
      hint: `${hint}; \`--engine onnx\` computes on the CPU`,
      cause,
    },
  );
}

/** A message without the function's name and its position in onnxruntime's sources. */
function reason(message: string): string {
  return message
    .replace(/^onnxruntime \w+: /, '')
    .replace(/^.*? was false\. /s, '')
    .trim();
}
