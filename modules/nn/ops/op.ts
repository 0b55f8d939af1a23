// Operations of our own, with gradients of our own. An op is announced once with a composite of ordinary
// TensorFlow.js operations and a gradient; it then runs on every backend. A backend that can do better
// registers a kernel of the op's name, as the recording engine does for layer normalisation or convolution.
import * as tf from '@tensorflow/tfjs';

export type Tensors = Record<string, tf.Tensor>;

export interface OpDefinition<I extends Tensors, A extends object> {
  /** Kernel name; ours start with "mtcp.". */
  name: string;
  /** The op in terms of others; several tensors for several outputs. */
  composite(inputs: I, attributes: A): tf.Tensor | tf.Tensor[];
  /** Which outputs the gradient needs. */
  keep?: boolean[];
  /**
   * Gradients of the inputs that have one, computed on demand.
   * @param dy gradients of the outputs, one for each
   */
  gradient(
    dy: tf.Tensor[],
    inputs: I,
    outputs: tf.Tensor[],
    attributes: A,
  ): Partial<Record<keyof I, () => tf.Tensor>>;
}

/** Announces an op and returns the function that applies it and gives all outputs. */
export function defineOp<I extends Tensors, A extends object = Record<never, never>>(
  inputNames: readonly (keyof I & string)[],
  definition: OpDefinition<I, A>,
): (inputs: I, attributes?: A) => tf.Tensor[] {
  const { name, keep = [] } = definition;
  tf.registerGradient({
    kernelName: name,
    inputsToSave: [...inputNames],
    outputsToSave: keep,
    gradFunc: (dy, saved, attributes) => {
      const inputs = Object.fromEntries(inputNames.map((key, i) => [key, saved[i]])) as I;
      const gradients = definition.gradient(
        Array.isArray(dy) ? dy : [dy],
        inputs,
        saved.slice(inputNames.length),
        attributes as unknown as A,
      );
      // TensorFlow.js asks for a function for every input, also for those that have no gradient.
      return Object.fromEntries(
        inputNames.map((key) => [key, gradients[key] ?? (() => tf.zerosLike(inputs[key]))]),
      );
    },
  });
  return (inputs, attributes) => {
    ensureKernel(definition);
    const result = tf.engine().runKernel(name, inputs, attributes as unknown as tf.NamedAttrMap);
    return Array.isArray(result) ? result : [result as tf.Tensor];
  };
}

function ensureKernel<I extends Tensors, A extends object>({ name, composite }: OpDefinition<I, A>): void {
  const backendName = tf.getBackend();
  if (tf.getKernel(name, backendName)) return;
  tf.registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(() => composite(inputs as unknown as I, (attrs ?? {}) as unknown as A)),
  });
}
