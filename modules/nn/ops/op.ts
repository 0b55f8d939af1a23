// Operations of our own, with gradients of our own. What is declared in registry/contracts/operations.ts gets here a
// composite of ordinary TensorFlow.js operations and a gradient; it then runs on every backend. A backend that can do
// better registers a kernel for the declaration, as the recording engine does for layer normalisation or convolution.
import * as tf from '../../../registry/tf.js';
import type {
  AttributesOf,
  Operation,
  OutputsOf,
  TensorsOf,
} from '../../../registry/contracts/operations.js';

export interface OpDefinition<P extends Operation, K extends P['outputs'][number]> {
  /** The operation in terms of others: its output, or a tensor for each of several. */
  composite(
    inputs: TensorsOf<P>,
    attributes: AttributesOf<P>,
  ): P['outputs']['length'] extends 1 ? tf.Tensor : OutputsOf<P, tf.Tensor>;
  /** Which outputs the gradient needs. */
  keep?: readonly K[];
  /**
   * Gradients of the inputs that have one, computed on demand.
   * @param dy gradients of the outputs, one for each
   * @param outputs those of `keep`
   */
  gradient(
    dy: OutputsOf<P, tf.Tensor>,
    inputs: TensorsOf<P>,
    outputs: Record<K, tf.Tensor>,
    attributes: AttributesOf<P>,
  ): { [N in keyof P['inputs']]?: () => tf.Tensor };
}

type Applied = (inputs: tf.NamedTensorMap, attributes?: object) => tf.Tensor[];
const defined = new Map<Operation, Applied>();

/** The operations that have a definition, each with the function that applies it. */
export const definedOperations: ReadonlyMap<Operation, Applied> = defined;

type Apply<P extends Operation> = (
  inputs: TensorsOf<P>,
  // Attributes may be left out where there are none.
  ...attributes: NonNullable<unknown> extends AttributesOf<P> ? [] : [AttributesOf<P>]
) => OutputsOf<P, tf.Tensor>;

/** Defines a declared operation and returns the function that applies it and gives all outputs. */
export function defineOp<P extends Operation, K extends P['outputs'][number] = never>(
  operation: P,
  definition: OpDefinition<P, K>,
): Apply<P> {
  const { name, outputs } = operation;
  const inputNames = Object.keys(operation.inputs);
  const keep: readonly string[] = definition.keep ?? [];
  const kept = outputs.filter((output) => keep.includes(output));
  tf.registerGradient({
    kernelName: name,
    inputsToSave: inputNames,
    outputsToSave: outputs.map((output) => keep.includes(output)),
    gradFunc: (dy, saved, attributes) => {
      const byName = (names: readonly string[], tensors: tf.Tensor[]) =>
        Object.fromEntries(names.map((key, i) => [key, tensors[i]]));
      const inputs = byName(inputNames, saved);
      const gradients: Record<string, (() => tf.Tensor) | undefined> = definition.gradient(
        [dy].flat() as unknown as OutputsOf<P, tf.Tensor>,
        inputs as TensorsOf<P>,
        byName(kept, saved.slice(inputNames.length)) as Record<K, tf.Tensor>,
        attributes as unknown as AttributesOf<P>,
      );
      // TensorFlow.js asks for a function for every input, also for those that have no gradient.
      return Object.fromEntries(
        inputNames.map((key) => [key, gradients[key] ?? (() => tf.zerosLike(inputs[key]))]),
      );
    },
  });
  const apply: Applied = (inputs, attributes) => {
    ensureKernel(operation, definition);
    return [tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap)].flat() as tf.Tensor[];
  };
  defined.set(operation, apply);
  return apply as unknown as Apply<P>;
}

function ensureKernel<P extends Operation>(
  { name }: P,
  { composite }: Pick<OpDefinition<P, never>, 'composite'>,
): void {
  const backendName = tf.getBackend();
  if (tf.getKernel(name, backendName)) return;
  tf.registerKernel({
    kernelName: name,
    backendName,
    kernelFunc: ({ inputs, attrs }) =>
      tf.tidy(
        () =>
          composite(inputs as unknown as TensorsOf<P>, (attrs ?? {}) as unknown as AttributesOf<P>) as
            tf.Tensor | tf.Tensor[],
      ),
  });
}
