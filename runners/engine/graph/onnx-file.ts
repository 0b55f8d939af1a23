// Exports a graph as an ONNX model with its weights, for any onnxruntime. The recorded graph is for one sample. The
// model accepts any batch by scanning over it, so that its results do not depend on the batch size.
//
//   image [batch, ...] -> (x * scale + offset) -> Scan over the batch: the recorded graph -> outputs [batch, ...]
import type { HostTensor } from '../ort/session.js';
import type { Graph, Shape, Value } from './ir.js';
import { ELEMENT_TYPE, IR_VERSION, nameOutputs, OPSET, Writer, writeNode, writeTensor } from './onnx.js';

export interface OnnxFile {
  graph: Graph;
  /** Name and value, recorded for a batch of one. */
  outputs: ReadonlyMap<string, Value>;
  /** The input that is scanned over; all other inputs are weights. */
  input: { name: string; description: string; scale: readonly number[]; offset: readonly number[] };
  descriptions: Readonly<Record<string, string>>;
  weights(name: string, shape: Shape): HostTensor;
  description: string;
  metadata: Readonly<Record<string, string>>;
}

/** Names inside the scan must not be those outside. */
const inner = (name: string): string => `sample/${name}`;
const AXES = 'sample/axes';

export function onnxFile(file: OnnxFile): Uint8Array {
  const { graph, outputs, input, metadata } = file;
  const image = graph.inputs.find((value) => value.input === input.name)!;
  const nodes = graph.reachable([...outputs.values()]);
  const weights = graph.inputs.filter(
    (value) => value !== image && nodes.some((node) => node.inputs.includes(value)),
  );
  const channels = image.shape.at(-1)!;

  const model = new Writer()
    .int(1, IR_VERSION)
    .string(2, 'mtcp')
    .string(6, file.description)
    .message(7, (g) => {
      g.message(1, (w) => operator(w, 'Mul', [input.name, 'scale'], ['scaled']));
      g.message(1, (w) => operator(w, 'Add', ['scaled', 'offset'], ['normalised']));
      g.message(1, (w) => {
        operator(w, 'Scan', ['normalised'], [...outputs.keys()]);
        w.message(5, (a) => a.string(1, 'num_scan_inputs').int(3, 1).int(20, 2));
        w.message(5, (a) => {
          a.string(1, 'body');
          a.message(6, (body) => writeBody(body, file, nodes, image)).int(20, 5);
        });
      });
      g.string(2, 'mtcp');
      for (const [name, values] of [
        ['scale', input.scale],
        ['offset', input.offset],
      ] as const)
        g.message(5, (w) => writeFloats(w, name, [channels], Float32Array.from(values)));
      for (const value of weights)
        g.message(5, (w) => {
          const { data } = file.weights(value.input!, value.shape);
          writeFloats(w, value.input!, value.shape, data as Float32Array);
        });
      g.string(10, file.description);
      g.message(11, (w) => describe(w, input.name, image, input.description));
      for (const [name, value] of outputs)
        g.message(12, (w) => describe(w, name, value, file.descriptions[name] ?? ''));
    })
    .message(8, (w) => w.string(1, '').int(2, OPSET))
    .message(8, (w) => w.string(1, 'com.microsoft').int(2, 1));
  for (const [key, value] of Object.entries(metadata))
    model.message(14, (w) => w.string(1, key).string(2, value));
  return model.finish();
}

/** The recorded graph between taking the batch axis off a sample and putting it back. */
function writeBody(body: Writer, { outputs }: OnnxFile, nodes: Graph['nodes'], image: Value): void {
  const given = new Map([[image, inner('image')]]);
  const renamed = new Map([...outputs].map(([name, value]) => [inner(`${name}/batch`), value]));
  const { nameOf, copies } = nameOutputs(renamed, given);
  body.message(1, (w) => operator(w, 'Unsqueeze', [inner('frame'), AXES], [inner('image')]));
  nodes.forEach((node, index) => body.message(1, (w) => writeNode(w, node, index, nameOf)));
  for (const [name, value] of copies)
    body.message(1, (w) => operator(w, 'Identity', [nameOf(value)], [name]));
  for (const name of outputs.keys())
    body.message(1, (w) => operator(w, 'Squeeze', [inner(`${name}/batch`), AXES], [inner(name)]));
  body.string(2, 'sample');
  const constants = new Set(
    [...nodes.flatMap(({ inputs }) => inputs), ...outputs.values()].filter((value) => value?.constant),
  );
  for (const value of constants)
    body.message(5, (w) => writeTensor(w, value!, value!.constant!, nameOf(value!)));
  body.message(5, (w) => {
    w.int(1, 1).int(2, ELEMENT_TYPE.int64).string(8, AXES);
    w.bytes(9, new Uint8Array(8));
  });
  body.message(11, (w) => valueInfo(w, inner('frame'), image, image.shape.slice(1)));
  for (const [name, value] of outputs)
    body.message(12, (w) => valueInfo(w, inner(name), value, value.shape.slice(1)));
}

function operator(w: Writer, op: string, inputs: readonly string[], outputs: readonly string[]): Writer {
  for (const name of inputs) w.string(1, name);
  for (const name of outputs) w.string(2, name);
  return w.string(3, outputs[0]).string(4, op);
}

function writeFloats(w: Writer, name: string, shape: readonly number[], data: Float32Array): void {
  for (const n of shape) w.int(1, n);
  w.int(2, ELEMENT_TYPE.float32).string(8, name);
  w.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

const describe = (w: Writer, name: string, value: Value, description: string): Writer =>
  valueInfo(w, name, value, ['batch', ...value.shape.slice(1)]).string(3, description);

function valueInfo(w: Writer, name: string, { dtype }: Value, shape: readonly (number | string)[]): Writer {
  return w.string(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, ELEMENT_TYPE[dtype]).message(2, (dimensions) => {
        for (const n of shape)
          dimensions.message(1, (dimension) =>
            typeof n === 'number' ? dimension.int(1, n) : dimension.string(2, n),
          );
      }),
    ),
  );
}
