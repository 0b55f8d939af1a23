// Checks what components return before it is used. A plugin in JavaScript may forget the return statement, or return
// a tensor instead of an object. Each message names the component, what it returned, and what was expected.
import * as tf from '../../registry/tf.js';
import type { Encoded } from '../../registry/contracts/blocks.js';
import type { Features, Pyramid } from '../../registry/contracts/features.js';
import type { LossValue, Optimizer } from '../../registry/contracts/learning.js';
import type { PerTask } from '../../registry/contracts/scheme.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';

type Tasks = readonly Pick<Task, 'name'>[];

const LEVEL = '{ data: tensor of [batch, height, width, channels], stride: number }';

/** @param who 'backbone "x"' */
export function requireEncoded(who: string, encoded: Encoded, tasks: Tasks): void {
  const wanted = `{ shared: [levels] } or { tasks: { TASK: [levels] } }, a level being ${LEVEL}`;
  if (!isObject(encoded) || !('shared' in encoded || 'tasks' in encoded)) throw wrong(who, encoded, wanted);
  if ('shared' in encoded) requirePyramid(who, 'shared', encoded.shared, wanted);
  else for (const { name } of tasks) requirePyramid(who, `tasks.${name}`, encoded.tasks?.[name], wanted);
}

export function requireFeatures(who: string, features: Features, tasks: Tasks): void {
  const wanted = `{ ...features, tasks: { TASK: [levels] } }, a level being ${LEVEL}`;
  if (!isObject(features)) throw wrong(who, features, wanted);
  const lost = (['image', 'shared', 'taps', 'stages', 'tasks'] as const).filter(
    (key) => !isObject(features[key]),
  );
  if (lost.length > 0) throw wrong(who, features, wanted, `without ${lost.join(', ')}`);
  for (const { name } of tasks) requirePyramid(who, `tasks.${name}`, features.tasks[name], wanted);
}

export function requirePrediction(who: string, prediction: tf.Tensor4D): void {
  if (!(prediction instanceof tf.Tensor))
    throw wrong(who, prediction, 'a tensor of [batch, height, width, channels]');
}

export function requireLoss(who: string, loss: LossValue): void {
  const wanted = '{ value, valid }: two scalar tensors, the mean loss and how many pixels counted';
  if (!isObject(loss) || loss instanceof tf.Tensor) throw wrong(who, loss, wanted);
  for (const key of ['value', 'valid'] as const)
    if (!isScalar(loss[key])) throw wrong(who, loss[key], wanted, `as ${key}`);
}

export function requireScalar(who: string, value: tf.Scalar): void {
  if (!isScalar(value)) throw wrong(who, value, 'a scalar tensor');
}

export function requireTerms(who: string, terms: PerTask<tf.Scalar> | tf.Scalar): void {
  const wanted = 'a scalar tensor for each task, or one for all';
  if (isScalar(terms)) return;
  if (!isObject(terms) || terms instanceof tf.Tensor) throw wrong(who, terms, wanted);
  for (const [task, term] of Object.entries(terms))
    if (!isScalar(term)) throw wrong(who, term, wanted, `for ${task}`);
}

/** Weights of a scheme, on the host. */
export function requireWeights(who: string, weights: PerTask<number>, tasks: Tasks): void {
  const wanted = 'a number for each task';
  if (!isObject(weights)) throw wrong(who, weights, wanted);
  for (const { name } of tasks)
    if (!Number.isFinite(weights[name])) throw wrong(who, weights[name], wanted, `for ${name}`);
}

/** @param length of the vector of parameters */
export function requireUpdate(
  updated: ReturnType<Optimizer['update']>,
  length: number,
  slots: readonly string[],
): void {
  const who = 'update of the optimizer';
  const wanted = '{ parameter, slots: { SLOT } }: vectors as long as the one that it is given';
  const isVector = (value: unknown) =>
    value instanceof tf.Tensor && value.rank === 1 && value.shape[0] === length;
  if (!isObject(updated) || !isObject(updated.slots)) throw wrong(who, updated, wanted);
  if (!isVector(updated.parameter)) throw wrong(who, updated.parameter, wanted, 'as parameter');
  for (const slot of slots)
    if (!isVector(updated.slots[slot])) throw wrong(who, updated.slots[slot], wanted, `as slots.${slot}`);
}

function requirePyramid(who: string, where: string, pyramid: Pyramid | undefined, wanted: string): void {
  if (!Array.isArray(pyramid) || pyramid.length === 0) throw wrong(who, pyramid, wanted, `as ${where}`);
  pyramid.forEach((level: unknown, i) => {
    const { data, stride } = (isObject(level) ? level : {}) as Partial<Pyramid[number]>;
    if (!(data instanceof tf.Tensor && data.rank === 4)) throw wrong(who, level, wanted, `as ${where}.${i}`);
    if (!(Number(stride) > 0)) throw wrong(who, stride, wanted, `as the stride of ${where}.${i}`);
  });
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isScalar = (value: unknown): boolean => value instanceof tf.Tensor && value.rank === 0;

const wrong = (who: string, value: unknown, wanted: string, where?: string): MtcpError =>
  new MtcpError('component', `${who} returns ${shown(value)}${where === undefined ? '' : ` ${where}`}`, {
    hint: `it must return ${wanted}`,
  });

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof tf.Tensor) return `a tensor of [${value.shape.join(', ')}]`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'function') return 'a function';
  if (!isObject(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty object' : `an object with ${keys.slice(0, 5).join(', ')}`;
}
