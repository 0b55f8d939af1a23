// A recorded graph on an XLA device. Constants are uploaded once. A run uploads the inputs that the device does not
// keep, and reads the outputs that it does not keep; see memory.ts for the others.
import { MtcpError } from '../../../registry/errors.js';
import { sizeOf, type Graph, type Value } from '../graph/ir.js';
import type { Binding, HostTensor, Session } from '../ort/session.js';
import { allSettled, type DeviceBuffer, type Executable, type PjrtClient } from './client.js';
import { toStableHlo, type Lowered, type Precision } from './lowering/index.js';
import type { XlaMemory } from './memory.js';
import { ONE_DEVICE, placementOn, type Mesh } from './mesh.js';

export interface XlaProgram extends Lowered {
  /** Names of the outputs, in order. */
  outputs: readonly string[];
  mesh: Mesh;
}

/** @param inPlace outputs that take the memory of an input, which is gone after the run */
export function lowerGraph(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  given: ReadonlyMap<Value, string>,
  inPlace: ReadonlyMap<string, string> = new Map(),
  precision?: Precision,
  mesh: Mesh = ONE_DEVICE,
): XlaProgram {
  const names = [...outputs.keys()];
  const donated = new Map([...inPlace].map(([output, input]) => [input, names.indexOf(output)]));
  const options = { given, donated, precision, mesh, names };
  return { ...toStableHlo(graph, [...outputs.values()], options), outputs: names, mesh };
}

/** @throws MtcpError `engine` if the plugin refuses the program */
export async function createXlaSession(
  client: PjrtClient,
  memory: XlaMemory,
  program: XlaProgram,
  tell?: (what: string) => void,
): Promise<Session> {
  const { mesh } = program;
  const work = client.compile(program.text, undefined, mesh.devices);
  const executable = await untilDone(work, (seconds) =>
    tell?.(`compiling for ${client.deviceKind}, ${seconds} s so far`),
  );
  const constants = new Map<number, DeviceBuffer>();
  const close = () => {
    for (const buffer of constants.values()) buffer.destroy();
    executable.destroy();
  };
  try {
    for (const [i, { constant, dtype, shape }] of program.parameters.entries())
      if (constant)
        constants.set(i, await client.upload(constant, dtype, shape, placementOn(mesh, undefined, shape)));
  } catch (error) {
    close();
    throw error;
  }
  const taken = executable.memory;
  return {
    deviceBytes: taken && taken.arguments + taken.outputs + taken.temporary,
    bind: (inputs, outputs) => bind(client, memory, executable, constants, program, inputs, outputs),
    close,
  };
}

/** Seconds between two reports. */
const REPORTED = 10;

/** Reports how long something takes, until it is there. */
export async function untilDone<T>(work: Promise<T>, report: (seconds: number) => void): Promise<T> {
  let seconds = 0;
  const timer = setInterval(() => report((seconds += REPORTED)), REPORTED * 1000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

function bind(
  client: PjrtClient,
  memory: XlaMemory,
  executable: Executable,
  constants: ReadonlyMap<number, DeviceBuffer>,
  { parameters, outputs: names, mesh }: XlaProgram,
  inputs: ReadonlyMap<string, HostTensor>,
  outputs: ReadonlyMap<string, HostTensor>,
): Binding {
  const read = parameters.map(({ input, shape }) =>
    input === undefined ? undefined : tensorOf(inputs, input, shape),
  );
  const written = names.map((name) => tensorOf(outputs, name));
  const from = parameters.map(({ input, shape }) => placementOn(mesh, input, shape));
  const to = names.map((name, i) => placementOn(mesh, name, written[i].shape));
  read.forEach((tensor, i) => tensor && memory.expect(tensor, from[i]));
  written.forEach((tensor, i) => memory.expect(tensor, to[i]));
  return {
    async run() {
      const temporary: DeviceBuffer[] = [];
      try {
        const given = await allSettled(
          parameters.map(async ({ dtype, shape }, i) => {
            const tensor = read[i];
            if (!tensor) return constants.get(i)!;
            if (memory.keeps(tensor)) return memory.bufferOf(tensor);
            const buffer = await client.upload(tensor.data, dtype, shape, from[i]);
            temporary.push(buffer);
            return buffer;
          }),
        );
        const made = await executable.execute(given, to);
        const down: [DeviceBuffer, HostTensor][] = [];
        for (const [i, buffer] of made.entries()) {
          if (memory.keeps(written[i])) memory.written(written[i], buffer);
          else {
            temporary.push(buffer);
            down.push([buffer, written[i]]);
          }
        }
        await allSettled(down.map(([buffer, { data }]) => buffer.read(data)));
      } finally {
        for (const buffer of temporary) buffer.destroy();
      }
    },
    close() {},
  };
}

function tensorOf(
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
