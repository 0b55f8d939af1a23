// Inputs and outputs of a graph as parts of a few long vectors. A device that keeps a model's parameters has one array
// for all of them instead of hundreds, and the optimizer updates it as a whole. Only copies are added: a slice in
// front of what was an input, one concatenation behind what were outputs.
import type { Builder } from './builder.js';
import { sizeOf, type Shape, type Value } from './ir.js';

/** Which vector a part lies in, and where it begins. */
export interface Place {
  readonly vector: string;
  readonly start: number;
}

/** Numbers between two parts are 0 in what a program writes, and never read. */
export interface Packing {
  /** Numbers in each vector. */
  readonly lengths: Readonly<Record<string, number>>;
  /** Where an input or output lies; undefined for one that stays as it is. */
  place(name: string, shape: Shape): Place | undefined;
}

/**
 * Replaces inputs by slices of vectors, which become inputs.
 * @param outputs lists of outputs in which an input may stand itself
 * @returns the outputs as they are now
 */
export function packInputs(
  build: Builder,
  packing: Packing,
  outputs: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const { graph } = build;
  const vectors = new Map<string, Value>();
  const slices = new Map<Value, Value>();
  const own = [...graph.inputs];
  graph.inFront(() => {
    for (const value of own) {
      const place = packing.place(value.input!, value.shape);
      if (!place) continue;
      const { vector: name, start } = place;
      let vector = vectors.get(name);
      if (!vector) vectors.set(name, (vector = graph.input(name, 'float32', [packing.lengths[name]])));
      const part = build.slice(vector, [start], [start + sizeOf(value.shape)]);
      slices.set(value, build.reshape(part, value.shape));
    }
  });
  const packed = (value: Value): Value => slices.get(value) ?? value;
  for (const node of graph.nodes) {
    if (node.inputs.some((value) => value && slices.has(value)))
      graph.rewire(
        node,
        node.inputs.map((value) => value && packed(value)),
      );
  }
  return new Map([...outputs].map(([name, value]) => [name, packed(value)]));
}

/** Outputs with those that have a place put together. */
export function packOutputs(
  build: Builder,
  packing: Packing,
  outputs: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const parts = new Map<string, { start: number; value: Value }[]>();
  const packed = new Map<string, Value>();
  for (const [name, value] of outputs) {
    const place = packing.place(name, value.shape);
    if (!place) packed.set(name, value);
    else parts.set(place.vector, [...(parts.get(place.vector) ?? []), { start: place.start, value }]);
  }
  for (const [name, list] of parts) {
    const pieces: Value[] = [];
    let end = 0;
    const fill = (to: number) => {
      if (to > end) pieces.push(build.splat(0, [to - end]));
      end = to;
    };
    for (const { start, value } of list.sort((a, b) => a.start - b.start)) {
      fill(start);
      pieces.push(build.reshape(value, [sizeOf(value.shape)]));
      end += sizeOf(value.shape);
    }
    fill(packing.lengths[name]);
    packed.set(name, build.concat(pieces, 0));
  }
  return packed;
}
