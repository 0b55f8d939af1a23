// Refuses random numbers inside functions that an engine compiles. A recorded graph would repeat the numbers of its
// recording at every step, and an engine that calls the function at every run would draw different numbers after a
// resumption. While such a function runs, TensorFlow.js's random operations and Math.random, on which they are based,
// throw an error. Random inputs of a model come from outside, through its scope.
import * as tf from '../../registry/tf.js';
import { MtcpError } from '../../registry/errors.js';
import { operationOf } from './operation-names.js';

const NOISE =
  'ask the scope for random numbers: scope.noise(name, shape) gives uniform ones in [0, 1), others at every step and the same in a resumed run; a table that stays the same is made with randomStream of mtcp/registry';
const DROPOUT = `use dropout, dropChannels or dropPath of mtcp/nn, which take a scope, or scope.noise(name, shape)`;

/** TensorFlow.js's random operations, with what to use instead. A seed makes them no better: the draw stays the same. */
const RANDOM = new Map([
  ['tf.dropout', DROPOUT],
  ...[
    'multinomial',
    'randomGamma',
    'randomNormal',
    'randomStandardNormal',
    'randomUniform',
    'randomUniformInt',
    'truncatedNormal',
  ].map((name) => [`tf.${name}`, NOISE] as const),
]);

/**
 * Runs `body`, in which nothing may be drawn at random.
 * @throws MtcpError `engine` where something is
 */
export function withoutRandomness<T>(body: () => T): T {
  const engine = tf.engine();
  const { random } = Math;
  // Every operation begins by opening a scope with its name; the method is restored by removing ours.
  const { startScope } = engine;
  engine.startScope = function startScopeWithoutRandomness(name) {
    const operation = operationOf(name);
    const instead = operation && RANDOM.get(operation);
    if (instead) throw refusal(operation, instead, startScopeWithoutRandomness);
    startScope.call(engine, name);
  };
  Math.random = function noRandom() {
    throw refusal('Math.random', NOISE, noRandom);
  };
  try {
    return body();
  } finally {
    Math.random = random;
    engine.startScope = startScope;
  }
}

/** @param caller is left out of the stack trace, which then begins with the function that drew a random number */
function refusal(what: string, hint: string, caller: (...args: never[]) => unknown): MtcpError {
  const error = new MtcpError(
    'engine',
    `${what} would be drawn once, when the model is recorded, and be the same at every step`,
    { hint },
  );
  Error.captureStackTrace(error, caller);
  return error;
}
