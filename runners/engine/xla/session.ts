// A recorded graph on an XLA device. Constants are uploaded once; a binding uploads its inputs before each run and reads
// its outputs after it, so what a run sees is what the arrays hold then.
import { MtcpError } from '../../../registry/errors.js';
import { sizeOf, type Graph, type Value } from '../graph/ir.js';
import type { Binding, HostTensor, Session } from '../ort/session.js';
import type { DeviceBuffer, Executable, PjrtClient } from './client.js';
import { toStableHlo, type Lowered } from './lowering/index.js';

export interface XlaProgram extends Lowered {
  /** Names of the outputs, in order. */
  outputs: readonly string[];
}

export function lowerGraph(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  given: ReadonlyMap<Value, string>,
): XlaProgram {
  return { ...toStableHlo(graph, [...outputs.values()], given), outputs: [...outputs.keys()] };
}

/** @throws MtcpError `engine` if the plugin refuses the program */
export async function createXlaSession(client: PjrtClient, program: XlaProgram): Promise<Session> {
  const executable = await client.compile(program.text);
  const constants = new Map<number, DeviceBuffer>();
  for (const [i, { constant, dtype, shape }] of program.parameters.entries())
    if (constant) constants.set(i, await client.upload(constant, dtype, shape));
  return {
    bind: (inputs, outputs) => bind(client, executable, constants, program, inputs, outputs),
    close() {
      for (const buffer of constants.values()) buffer.destroy();
      executable.destroy();
    },
  };
}

function bind(
  client: PjrtClient,
  executable: Executable,
  constants: ReadonlyMap<number, DeviceBuffer>,
  { parameters, outputs: names }: XlaProgram,
  inputs: ReadonlyMap<string, HostTensor>,
  outputs: ReadonlyMap<string, HostTensor>,
): Binding {
  const read = parameters.map(({ input, shape }) =>
    input === undefined ? undefined : arrayOf(inputs, input, shape),
  );
  const written = names.map((name) => arrayOf(outputs, name));
  return {
    async run() {
      const uploaded: DeviceBuffer[] = [];
      const made: DeviceBuffer[] = [];
      try {
        const given: DeviceBuffer[] = [];
        for (const [i, { dtype, shape }] of parameters.entries()) {
          const tensor = read[i];
          if (!tensor) given.push(constants.get(i)!);
          else {
            const buffer = await client.upload(tensor.data, dtype, shape);
            uploaded.push(buffer);
            given.push(buffer);
          }
        }
        made.push(...(await executable.execute(given)));
        for (const [i, buffer] of made.entries()) await buffer.read(written[i].data);
      } finally {
        for (const buffer of [...uploaded, ...made]) buffer.destroy();
      }
    },
    close() {},
  };
}

function arrayOf(
  tensors: ReadonlyMap<string, HostTensor>,
  name: string,
  shape?: readonly number[],
): HostTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`nothing is bound to "${name}"`);
  const { data } = tensor;
  if (data.length !== sizeOf(shape ?? tensor.shape))
    throw new MtcpError(
      'engine',
      `"${name}" wants ${(shape ?? tensor.shape).join('x')} numbers, its array has ${data.length}`,
    );
  return tensor;
}
