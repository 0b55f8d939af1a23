// Gradients that TensorFlow.js lacks. A model may compare or choose (`where(greater(x, 0), ...)`): no gradient
// flows through the comparison, but TensorFlow.js stops with an error unless one is registered.
import * as tf from '../../../registry/tf.js';

const WITHOUT_GRADIENT: Partial<Record<keyof typeof tf, string[]>> = {
  Greater: ['a', 'b'],
  Less: ['a', 'b'],
  LessEqual: ['a', 'b'],
  Equal: ['a', 'b'],
  NotEqual: ['a', 'b'],
  LogicalAnd: ['a', 'b'],
  LogicalOr: ['a', 'b'],
  LogicalNot: ['x'],
  All: ['x'],
  Any: ['x'],
  ArgMax: ['x'],
  ArgMin: ['x'],
};

for (const [kernelName, inputs] of Object.entries(WITHOUT_GRADIENT)) {
  if (tf.getGradient(kernelName)) continue;
  tf.registerGradient({
    kernelName,
    inputsToSave: inputs,
    gradFunc: (_, saved) =>
      Object.fromEntries(inputs.map((name, i) => [name, () => tf.zeros(saved[i].shape)])),
  });
}
