// Runs the same function on the recording engine and on TensorFlow.js `cpu`, with gradients, and compares.
import * as tf from '../../registry/tf.js';
import { expect } from 'chai';
import { randomStream } from '../../registry/random.js';
import { EagerEngine } from '../../runners/engine/eager.js';
import {
  hostTensor,
  type Engine,
  type Program,
  type TensorSpec,
  type Tracer,
} from '../../runners/engine/engine.js';
import { RecordingEngine } from '../../runners/engine/recording.js';
import type { HostTensor } from '../../runners/engine/ort/session.js';
import { findPlugins } from '../../runners/engine/xla/plugin.js';
import { createXlaRuntime } from '../../runners/engine/xla/runtime.js';

export const recordingEngine = new RecordingEngine({ threads: 2, optimize: 'none' });

/** Tests have a cache of their own; plugins are in that of this machine. */
const plugins = [process.env, { ...process.env, MTCP_CACHE: undefined }].flatMap((env) => findPlugins(env));

/** XLA's CPU plugin, where it is installed: see test/support/xla/install.sh. */
export const xlaPlugin = plugins.find(({ variant }) => variant === 'cpu' || variant === 'path')?.path;
/** That for NVIDIA's GPUs, which compiles without one. */
export const cudaPlugin = plugins.find(({ variant }) => variant === 'cuda13')?.path;
/** Made when the first test asks for it: a process that compares nothing loads no plugin. */
export function xlaEngines(): readonly RecordingEngine[] {
  if (!xlaPlugin) return [];
  made ??= new RecordingEngine({ runtime: createXlaRuntime(xlaPlugin) });
  return [made];
}

let made: RecordingEngine | undefined;

export type Arrays = Record<
  string,
  { shape: number[]; data: ArrayLike<number>; dtype?: TensorSpec['dtype'] }
>;

/** Normal noise of this shape, the same in every run. */
export function noise(shape: number[], name = 'x', scale = 1): Arrays[string] {
  const random = randomStream('test', name, ...shape);
  return {
    shape,
    data: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal() * scale),
  };
}

export function integers(shape: number[], bound: number, name = 'i'): Arrays[string] {
  const random = randomStream('test', name, ...shape);
  const data = Int32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.integer(bound));
  return { shape, data, dtype: 'int32' };
}

/** Everything `define` computes, by name. */
export async function evaluate(
  engine: Engine,
  inputs: Arrays,
  define: (inputs: Record<string, tf.Tensor>, tracer: Tracer) => tf.NamedTensorMap,
): Promise<Record<string, HostTensor>> {
  const program = await engine.compile('test', (tracer) => {
    const tensors = Object.entries(inputs).map(
      ([name, { shape, dtype }]) => [name, tracer.input(name, dtype ?? 'float32', shape)] as const,
    );
    return define(Object.fromEntries(tensors), tracer);
  });
  return runOnce(program, inputs);
}

/** What a program computes from these, by name; the program is closed. */
export async function runOnce(program: Program, inputs: Arrays): Promise<Record<string, HostTensor>> {
  const outputs: Record<string, HostTensor> = {};
  const tensor = (name: string, spec: TensorSpec): HostTensor => {
    const own = hostTensor(spec);
    if (inputs[name]) (own.data as Float32Array).set(inputs[name].data);
    else outputs[name] = own;
    return own;
  };
  const binding = program.bind(tensor);
  await binding.run();
  binding.close();
  program.close();
  return outputs;
}

/** `outputs` of f and the gradients of sum(output * weights) for every float input, weights being fixed noise. */
export function withGradients(f: (inputs: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[]) {
  return (inputs: Record<string, tf.Tensor>): tf.NamedTensorMap => {
    const names = Object.keys(inputs).filter((name) => inputs[name].dtype === 'float32');
    const results: tf.NamedTensorMap = {};
    const objective = () => {
      const outputs = [f(inputs)].flat();
      const terms = outputs.map((output, i) => {
        results[`output${i}`] = tf.keep(output.dtype === 'float32' ? output : output.cast('float32'));
        const weights = noise(output.shape, `upstream${i}`);
        return output.mul(tf.tensor(weights.data as Float32Array, output.shape)).sum();
      });
      return tf.addN(terms) as tf.Scalar;
    };
    const { grads } = tf.engine().gradients(
      objective,
      names.map((name) => inputs[name]),
      undefined,
      true,
    );
    names.forEach((name, i) => {
      if (grads[i]) results[`d_${name}`] = grads[i];
    });
    return results;
  };
}

/** Largest difference, relative to the largest expected value (or to `floor`, where that is smaller). */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
  floor = 1e-6,
): void {
  expect(actual.length, `${what}: length`).to.equal(expected.length);
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]));
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (!(error <= worst)) [worst, at] = [error, i];
  }
  expect(
    worst / Math.max(scale, floor),
    `${what}: ${actual[at]} instead of ${expected[at]} at ${at}`,
  ).to.be.at.most(tolerance);
}

type Computation = (inputs: Record<string, tf.Tensor>) => tf.Tensor | tf.Tensor[];

/** f on the recorded graph equals f on tfjs cpu, outputs and gradients. */
export function expectSame(inputs: Arrays, f: Computation, tolerance = 1e-5): Promise<void> {
  return compare(inputs, withGradients(f), tolerance);
}

/** The same for outputs only. */
export function expectSameValues(inputs: Arrays, f: Computation, tolerance = 1e-5): Promise<void> {
  const define = (tensors: Record<string, tf.Tensor>) =>
    Object.fromEntries([f(tensors)].flat().map((output, i) => [`output${i}`, output]));
  return compare(inputs, define, tolerance);
}

async function compare(
  inputs: Arrays,
  define: (inputs: Record<string, tf.Tensor>) => tf.NamedTensorMap,
  tolerance: number,
): Promise<void> {
  const cpu = await EagerEngine.create('cpu');
  const expected = await evaluate(cpu, inputs, define);
  for (const engine of [recordingEngine, ...xlaEngines()]) {
    const actual = await evaluate(engine, inputs, define);
    expect(Object.keys(actual)).to.deep.equal(Object.keys(expected));
    for (const [name, { data, shape }] of Object.entries(expected)) {
      expect(actual[name].shape, `${name}: shape`).to.deep.equal(shape);
      expectClose(actual[name].data, data, tolerance, `${name} on ${engine.description}`);
    }
  }
}
