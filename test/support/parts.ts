// Runs a layer or operation on what the PyTorch reference was given and compares output, gradients and running
// statistics with what it gave. Maps are NCHW in the fixtures and NHWC here.
import * as tf from '../../registry/tf.js';
import { expect } from 'chai';
import type { Scope } from '../../registry/contracts/scope.js';
import { inputName, ParameterTable, Pass } from '../../modules/nn/scope.js';
import { hostTensor } from '../../runners/engine/engine.js';
import { channelsLast, readJson, readTensors, type StoredTensor } from '../reference/fixtures.js';
import { expectClose, recordingEngine } from './oracle.js';

const tensors = readTensors('parts.safetensors');
const settings = readJson('parts.json') as Record<string, Record<string, unknown>>;

export const setting = <T>(part: string, key: string): T => settings[part][key] as T;

export const has = (part: string, name: string): boolean => tensors.has(`${part}/${name}`);

export function stored(part: string, name: string): StoredTensor {
  const tensor = tensors.get(`${part}/${name}`);
  if (!tensor) throw new Error(`the fixtures have no ${part}/${name}`);
  return tensor;
}

export interface PartOptions {
  tolerance?: number;
  /** Evaluation mode: running statistics instead of the batch's. */
  evaluation?: boolean;
  /** Inputs that are not maps although they have four axes, or that have no gradient. */
  labels?: string[];
  /** Name of the fixture file without its ending, if not `parts`. */
  file?: string;
}

/**
 * @param inputs names of the fixture's inputs; every other tensor is a parameter or buffer of the scope
 * @param f output from scope and inputs
 */
export async function expectPart(
  part: string,
  inputs: string[],
  f: (scope: Scope, inputs: Record<string, tf.Tensor>) => tf.Tensor,
  { tolerance = 3e-5, evaluation = false, labels = [], file }: PartOptions = {},
): Promise<void> {
  const own = new Map(
    [...(file ? readTensors(`${file}.safetensors`) : tensors)]
      .filter(([key]) => key.startsWith(`${part}/`))
      .map(([key, value]) => [key.slice(part.length + 1), value]),
  );
  const table = new ParameterTable();
  const program = await recordingEngine.compile(part, (tracer) => {
    const given = Object.fromEntries(
      [...inputs, ...labels].map((name) => {
        const { shape, data } = own.get(name)!;
        const isLabel = labels.includes(name) && !(data instanceof Float32Array);
        const layout = channelsLast(own.get(name)!).shape;
        return [
          name,
          tracer.input(
            name,
            isLabel ? 'int32' : 'float32',
            isLabel ? [shape[0], shape[2], shape[3]] : layout,
          ),
        ];
      }),
    );
    const outputs: tf.NamedTensorMap = {};
    const objective = () => {
      const pass = new Pass(table, tracer, !evaluation);
      const output = f(pass.root, given);
      outputs.output = tf.keep(output);
      for (const [name, { observed, momentum }] of pass.averages) {
        const old = tracer.input(inputName.buffer(name), 'float32', table.buffers.get(name)!.shape);
        outputs[`${name}.after`] = tf.keep(old.mul(1 - momentum).add(observed.mul(momentum)));
      }
      if (output.rank === 0) return output as tf.Scalar;
      return output.mul(tracer.input('upstream', 'float32', output.shape)).sum() as tf.Scalar;
    };
    // Parameters are found by the first pass; the second one is differentiated.
    tf.tidy(() => void objective());
    const names = [...table.parameters].map(
      ([name, { shape }]) => [name, tracer.input(inputName.parameter(name), 'float32', shape)] as const,
    );
    const wanted = [...inputs.map((name) => [name, given[name]] as const), ...names];
    if (wanted.length === 0) return outputs;
    const { grads } = tf.engine().gradients(
      objective,
      wanted.map(([, tensor]) => tensor),
      undefined,
      true,
    );
    wanted.forEach(([name], i) => {
      if (grads[i]) outputs[`gradient.${name}`] = grads[i];
    });
    return outputs;
  });

  const results = new Map<string, Float32Array>();
  const binding = program.bind((name, spec) => {
    const tensor = hostTensor(spec);
    const source = name.replace(/^(parameter|buffer)\//, '');
    if (program.inputs.has(name))
      tensor.data.set(
        inputs.includes(source) || labels.includes(source) || source === 'upstream'
          ? channelsLast(own.get(source)!).data
          : own.get(source)!.data,
      );
    else results.set(name, tensor.data as Float32Array);
    return tensor;
  });
  await binding.run();
  binding.close();
  program.close();

  for (const name of table.parameters.keys())
    expect(own.has(name), `parameter ${name} of ${part}`).to.equal(true);
  for (const [name, expected] of own) {
    if (name !== 'output' && !name.startsWith('gradient.') && !name.endsWith('.after')) continue;
    const isMap = name === 'output' || inputs.some((input) => name === `gradient.${input}`);
    const actual = results.get(name) ?? new Float32Array(expected.data.length);
    expectClose(
      actual,
      isMap ? channelsLast(expected).data : expected.data,
      tolerance,
      `${part}: ${name}`,
      0.1,
    );
  }
}
