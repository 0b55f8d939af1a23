// Tensors that both sides generate from their names.
import { channelsLast, namedValues } from '../test/reference/fixtures.js';

/** How the peer drew a tensor; shapes are PyTorch's. */
export interface Drawn {
  shape: number[];
  offset: number;
  scale: number;
}

export function draw(name: string, { shape, offset, scale }: Drawn): Float32Array {
  const size = shape.reduce((product, n) => product * n, 1);
  return namedValues(name, size, offset, scale);
}

/** A map or label, drawn as NCHW, in our order. */
export function drawMap(name: string, drawn: Drawn): { shape: number[]; data: Float32Array } {
  return channelsLast({ shape: drawn.shape, data: draw(name, drawn) });
}
