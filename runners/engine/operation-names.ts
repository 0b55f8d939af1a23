// Finds the operation that the author of a component called. TensorFlow.js opens a scope with the operation's name
// around each public operation; the kernels inside have other names ("Multiply" for tf.mul).
import * as tf from '../../registry/tf.js';

/** What TensorFlow.js appends to the name of an operation when it opens a scope for it. */
const SUFFIX = '__op';

/** 'tf.mul' for the name of its scope; undefined for other scopes. */
export function operationOf(scope: string | undefined): string | undefined {
  return scope?.endsWith(SUFFIX) ? `tf.${scope.slice(0, -SUFFIX.length)}` : undefined;
}

/** The outermost operation of TensorFlow.js that runs now: the one that was called. */
export function operationUnderWay(): string | undefined {
  const { scopeStack } = tf.engine().state;
  // A tidy or a gradient around it is no operation; what it is composed of lies within.
  const at = scopeStack.findLastIndex(({ name }) => operationOf(name) === undefined);
  return operationOf(scopeStack[at + 1]?.name);
}
