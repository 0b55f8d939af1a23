// Reads what the PyTorch reference wrote. Weights are not stored: they are a function of their names (see
// mtcp_torch/fixtures/weights.py), and large gradients are stored at every so many cells.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../test/reference/fixtures');

/** Cells kept of a large gradient; SAMPLES in mtcp_torch/fixtures/models.py. */
const SAMPLES = 128;

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

export type Tensors = ReadonlyMap<string, StoredTensor>;

export function readTensors(file: string): Tensors {
  const bytes = readFileSync(join(FOLDER, file));
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: 'F32' | 'U8'; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors = new Map<string, StoredTensor>();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const copy = Uint8Array.from(bytes.subarray(8 + headerLength + start, 8 + headerLength + end));
    tensors.set(name, { shape, data: dtype === 'F32' ? new Float32Array(copy.buffer) : copy });
  }
  return tensors;
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
}

/** The values every fixture gives to the tensor `name`: offset + scale * uniform[-1, 1). */
export function namedValues(name: string, size: number, offset: number, scale: number): Float32Array {
  const seed = fnv1a(name);
  return Float32Array.from({ length: size }, (_, i) => {
    const bits = mix((seed + Math.imul(i, 0x9e3779b9)) >>> 0);
    return offset + scale * ((bits >>> 8) / 2 ** 23 - 1);
  });
}

function fnv1a(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/** NCHW to NHWC where there are four axes, otherwise as it is. */
export function channelsLast({ shape, data }: StoredTensor): {
  shape: number[];
  data: Float32Array;
} {
  const values = Float32Array.from(data);
  if (shape.length !== 4) return { shape: [...shape], data: values };
  const [batch, channels, height, width] = shape;
  const moved = new Float32Array(values.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < height * width; i++)
        moved[(b * height * width + i) * channels + c] = values[(b * channels + c) * height * width + i];
  return { shape: [batch, height, width, channels], data: moved };
}

/** The cells of a tensor of `size` cells at which its gradient is stored. */
export function sampledCells(size: number): number[] {
  let stride = Math.ceil(size / SAMPLES);
  if (stride > 1) stride |= 1;
  return Array.from({ length: Math.ceil(size / stride) }, (_, i) => i * stride);
}

export interface StoredParameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Value before the first step. */
  readonly initial: Float32Array;
  /** Cells that `gradient` and `after` belong to. */
  readonly cells: readonly number[];
  readonly gradient: Float32Array;
  /** Norm of the whole gradient. 0: the loss does not depend on the parameter, and what float32 gives is noise. */
  readonly gradientNorm: number;
  /** After the first step; only some fixtures have it. */
  readonly after?: Float32Array;
}

export interface StoredBuffer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initial: Float32Array;
  /** After the first step. */
  readonly after: Float32Array;
}

export interface ModelFixture {
  /** See mtcp_torch/config.py. */
  readonly config: Record<string, unknown>;
  /** Losses of the first steps on the shared batch, by name. */
  readonly losses: readonly Record<string, number>[];
  /** Largest relative distances of a float32 run in PyTorch from these numbers. */
  readonly float32: Record<string, number>;
  readonly tensors: Tensors;
  readonly parameters: readonly StoredParameter[];
  readonly buffers: readonly StoredBuffer[];
}

/** `name` as in mtcp_torch/fixtures/models.py: paper, code, paper-channel, ... */
export function readModel(name: string): ModelFixture {
  const tensors = readTensors(`${name}.safetensors`);
  const flat = (key: string) => tensors.get(key)?.data as Float32Array | undefined;
  const rows = readFileSync(join(FOLDER, `${name}.tsv`), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const parameters: StoredParameter[] = [];
  const buffers: StoredBuffer[] = [];
  let sampled = 0;
  let buffered = 0;
  for (const row of rows) {
    const [tensor, dimensions, offset, scale, norm] = row.split('\t') as [
      string,
      string,
      string,
      string,
      string,
    ];
    const shape = dimensions.split('x').map(Number);
    const size = shape.reduce((product, n) => product * n, 1);
    const common = { name: tensor, shape, initial: namedValues(tensor, size, Number(offset), Number(scale)) };
    if (norm === 'buffer') {
      buffers.push({ ...common, after: flat('buffers')!.subarray(buffered, (buffered += size)) });
      continue;
    }
    const cells = sampledCells(size);
    const [start, end] = [sampled, (sampled += cells.length)];
    const gradient = flat('gradient')!.subarray(start, end);
    const after = flat('after')?.subarray(start, end);
    parameters.push({ ...common, cells, gradient, gradientNorm: Number(norm), ...(after && { after }) });
  }
  const summary = readJson(`${name}.json`) as Pick<ModelFixture, 'config' | 'losses' | 'float32'>;
  return { ...summary, tensors, parameters, buffers };
}
