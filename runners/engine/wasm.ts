// TensorFlow.js's wasm backend lacks some operations that training needs. Those are computed by the plain JavaScript
// backend, with inputs and outputs copied across; all others stay in WebAssembly.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '../../registry/tf.js';
import { isOwnKernel } from '../../registry/contracts/operations.js';

const PACKAGE = '@tensorflow/tfjs-backend-wasm';

interface CopyingBackend extends tf.KernelBackend {
  readSync(dataId: object): tf.backend_util.BackendValues;
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
  disposeData(dataId: object): boolean;
}

/** To be called when the package has been imported and before the backend is first used. */
export async function prepareWasm(): Promise<void> {
  const { setWasmPaths } = (await import(PACKAGE)) as { setWasmPaths(folder: string): void };
  // The backend looks for its binary beside the program instead of beside itself.
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve(PACKAGE))}/`);
  for (const { kernelName, kernelFunc } of tf.getKernelsForBackend('cpu'))
    // Composites of other operations run on any backend as they are.
    if (!isOwnKernel(kernelName) && !tf.getKernel(kernelName, 'wasm'))
      tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: borrowed(kernelFunc) });
}

/** The same kernel for tensors that live on another backend. */
function borrowed(kernel: tf.KernelFunc): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const own = backend as CopyingBackend;
    const cpu = tf.engine().findBackend('cpu') as CopyingBackend;
    const copy = (from: CopyingBackend, to: CopyingBackend, { dataId, shape, dtype }: tf.TensorInfo) => ({
      dataId: to.write(from.readSync(dataId).slice() as tf.backend_util.BackendValues, shape, dtype),
      shape,
      dtype,
    });
    const given = Object.entries(inputs).map(
      // Absent inputs, such as a bias, stay absent.
      ([name, input]) => [name, input && copy(own, cpu, input as tf.TensorInfo)] as const,
    );
    const result = kernel({
      inputs: Object.fromEntries(given) as tf.NamedTensorInfoMap,
      attrs,
      backend: cpu,
    });
    const outputs = [result].flat().map((output) => {
      const moved = copy(cpu, own, output);
      cpu.disposeData(output.dataId);
      return moved;
    });
    for (const [, input] of given) if (input) cpu.disposeData(input.dataId);
    return outputs.length === 1 && !Array.isArray(result) ? outputs[0] : outputs;
  };
}
