// Writes a graph as an ONNX model (protocol buffers, onnx.proto3). Only the few messages that a model needs
// are written, by a small encoder: field numbers are those of onnx.proto.
import {
  sizeOf,
  type Attribute,
  type Constant,
  type DType,
  type Graph,
  type Node,
  type Value,
} from './ir.js';

export const OPSET = 21;
export const IR_VERSION = 10;

/** TensorProto.DataType */
export const ELEMENT_TYPE: Record<DType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** Appends protobuf fields to a growing list of byte chunks; nested messages are written through `message`. */
export class Writer {
  readonly #chunks: Uint8Array[] = [];
  #scratch: number[] = [];
  #length = 0;

  #varint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#scratch.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#scratch.push(Number(rest));
  }

  #flush(): void {
    if (this.#scratch.length === 0) return;
    this.#append(Uint8Array.from(this.#scratch));
    this.#scratch = [];
  }

  #append(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  int(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    this.#scratch.push(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#flush();
    this.#append(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, write: (writer: Writer) => void): this {
    const inner = new Writer();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    this.#flush();
    const all = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }
}

export interface OnnxOptions {
  /**
   * Inputs are declared with their rank alone, so that onnxruntime finds no shapes of what is computed from them
   * (reshapes leave one extent open). Where it knows shapes it plans which value goes into whose buffer before it
   * runs, and a buffer that is used again later is held all the time until then: a quarter more memory in large
   * training graphs. What it gives up is writing over an operand, worth some percent where values fit into caches.
   */
  openShapes?: boolean;
}

/**
 * @param outputs name -> value
 * @param given values that come in from outside instead of being computed, with their names
 */
export function toOnnx(
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  given: ReadonlyMap<Value, string> = new Map(),
  { openShapes = false }: OnnxOptions = {},
): Uint8Array {
  const nodes = graph.reachable([...outputs.values()], given);
  const { nameOf, copies } = nameOutputs(outputs, given);
  const constants = new Set<Value>();
  const used = new Set<Value>(outputs.values());
  for (const node of nodes)
    for (const input of node.inputs) {
      if (input) used.add(input);
      if (input?.constant) constants.add(input);
    }
  for (const value of outputs.values()) if (value.constant) constants.add(value);

  return new Writer()
    .int(1, IR_VERSION)
    .string(2, 'mtcp')
    .message(7, (g) => {
      // onnxruntime runs nodes in an order of its own: depth first towards the inputs, starting from the last of
      // the nodes that nobody reads, the last inputs first. In a gradient graph written forwards this puts every
      // weight's gradient off to the end and keeps all that they read. Written backwards, what was recorded first
      // runs first.
      for (let index = nodes.length - 1; index >= 0; index--)
        g.message(1, (w) => writeNode(w, nodes[index], index, nameOf));
      for (const [name, value] of copies)
        g.message(1, (w) => w.string(1, nameOf(value)).string(2, name).string(4, 'Identity'));
      g.string(2, 'step');
      for (const value of constants)
        g.message(5, (w) => writeTensor(w, value, value.constant!, nameOf(value)));
      for (const value of [...graph.inputs, ...given.keys()])
        if (used.has(value)) g.message(11, (w) => writeValueInfo(w, nameOf(value), value, openShapes));
      for (const [name, value] of outputs) g.message(12, (w) => writeValueInfo(w, name, value));
    })
    .message(8, (w) => w.string(1, '').int(2, OPSET))
    .message(8, (w) => w.string(1, 'com.microsoft').int(2, 1))
    .finish();
}

/**
 * A value that a node computes takes the name of the output it becomes; copies are only needed where one
 * value is two outputs, or an output is an input or a constant.
 */
export function nameOutputs(outputs: ReadonlyMap<string, Value>, given: ReadonlyMap<Value, string>) {
  const names = new Map<Value, string>(given);
  const copies: [string, Value][] = [];
  for (const [name, value] of outputs) {
    if (value.node && !names.has(value)) names.set(value, name);
    else copies.push([name, value]);
  }
  const nameOf = (value: Value): string => names.get(value) ?? value.input ?? `v${value.id}`;
  return { nameOf, copies };
}

export function writeNode(w: Writer, node: Node, index: number, nameOf: (value: Value) => string): void {
  for (const input of node.inputs) w.string(1, input ? nameOf(input) : '');
  for (const output of node.outputs) w.string(2, nameOf(output));
  w.string(3, `${index}:${node.label}`).string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes))
    w.message(5, (a) => writeAttribute(a, name, value));
  if (node.domain) w.string(7, node.domain);
}

function writeAttribute(w: Writer, name: string, attribute: Attribute): void {
  w.string(1, name);
  if ('int' in attribute) w.int(3, attribute.int).int(20, 2);
  else if ('float' in attribute) w.float(2, attribute.float).int(20, 1);
  else if ('string' in attribute) w.string(4, attribute.string).int(20, 3);
  else {
    for (const value of attribute.ints) w.int(8, value);
    w.int(20, 7);
  }
}

export function writeTensor(w: Writer, value: Value, constant: Constant, name: string): void {
  for (const n of value.shape) w.int(1, n);
  w.int(2, ELEMENT_TYPE[value.dtype]).string(8, name).bytes(9, rawData(value, constant));
}

function rawData(value: Value, constant: Constant): Uint8Array {
  if ('data' in constant) {
    const { buffer, byteOffset, byteLength } = constant.data;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  const count = sizeOf(value.shape);
  const filled =
    value.dtype === 'float32'
      ? new Float32Array(count).fill(constant.splat)
      : value.dtype === 'int32'
        ? new Int32Array(count).fill(constant.splat)
        : value.dtype === 'int64'
          ? new BigInt64Array(count).fill(BigInt(constant.splat))
          : new Uint8Array(count).fill(constant.splat);
  return new Uint8Array(filled.buffer);
}

function writeValueInfo(w: Writer, name: string, value: Value, open = false): void {
  w.string(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, ELEMENT_TYPE[value.dtype]).message(2, (shape) => {
        for (const n of value.shape)
          shape.message(1, (dimension) => (open ? dimension : dimension.int(1, n)));
      }),
    ),
  );
}
