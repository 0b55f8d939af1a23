// A session that runs a graph of small operators on several threads. The graph is in parts (graph/parts.ts), each a
// session of its own on one thread; several run at a time. Which part runs next is decided while running: the first in
// the list whose turn has come. Results do not depend on it: each operator is computed by one thread from the same
// numbers, and nothing is added up across threads.
import koffi from 'koffi';
import type { Shape, DType, Value } from '../graph/ir.js';
import { bytesOf } from '../graph/lifetimes.js';
import { partName, type Part, type PartInput } from '../graph/parts.js';
import { placesOf } from '../graph/places.js';
import type { Lanes } from './lanes.js';
import { createNativeSession, type NativeBinding } from './native.js';
import type { BoundTensor, Session, SessionOptions } from './session.js';

/** As onnxruntime aligns its own values: operators may add up in another order where numbers lie differently. */
const ALIGN = 256;

/** @param models of the parts, in the same order */
export async function createParallelSession(
  parts: readonly Part[],
  models: readonly Uint8Array[],
  options: SessionOptions,
  lanes: Lanes,
): Promise<Session> {
  const sessions: Session<BoundTensor>[] = [];
  const close = () => sessions.forEach((session) => session.close());
  try {
    for (const model of models) sessions.push(await createNativeSession(model, { ...options, alone: true }));
  } catch (error) {
    close();
    throw error;
  }
  const { places, bytes } = placesOf(parts, bytesOf, ALIGN);
  return {
    bind(inputs, outputs) {
      const block = new Uint8Array(bytes + ALIGN);
      const start = (ALIGN - Number(koffi.address(block) % BigInt(ALIGN))) % ALIGN;
      const arrayOf = (value: Value, { dtype, shape }: Value): BoundTensor =>
        tensorAt(block, start + places.get(value)!, bytesOf(value), dtype, shape);
      const read = ({ source, value }: PartInput): BoundTensor =>
        source.of === 'part'
          ? arrayOf(source.value, value)
          : { ...(inputs.get(source.name) ?? outputs.get(source.name)!), shape: value.shape };
      const written = (name: string, value: Value): BoundTensor =>
        name === partName(value) ? arrayOf(value, value) : outputs.get(name)!;
      const bindings = parts.map(
        (part, i) =>
          sessions[i].bind(
            new Map([...part.inputs].map(([name, input]) => [name, read(input)])),
            new Map([...part.outputs].map(([name, value]) => [name, written(name, value)])),
          ) as NativeBinding,
      );
      const job = lanes.bind(
        bindings.map(({ session, pointer }, i) => ({ session, binding: pointer, waits: parts[i].waits })),
      );
      return {
        run: () => job.run(),
        close() {
          job.close();
          for (const binding of bindings) binding.close();
        },
      };
    },
    close,
  };
}

function tensorAt(
  block: Uint8Array<ArrayBuffer>,
  offset: number,
  bytes: number,
  dtype: DType,
  shape: Shape,
): BoundTensor {
  const Typed = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array }[dtype];
  const data = new Typed(block.buffer, block.byteOffset + offset, bytes / Typed.BYTES_PER_ELEMENT);
  return { dtype, shape, data };
}
