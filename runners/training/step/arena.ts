// One vector with a view of each parameter in it. The training graph reads each parameter, and writes each gradient, in
// place.
import type { HostTensor } from '../../engine/ort/session.js';
import type { Layout } from './layout.js';

export class Arena {
  /** Views of the vector, by name. */
  readonly views: ReadonlyMap<string, HostTensor>;

  /** @param data the vector, if it lies somewhere already */
  constructor(
    readonly layout: Layout,
    readonly data: Float32Array = new Float32Array(new ArrayBuffer(4 * layout.length)),
  ) {
    this.views = new Map(
      [...layout.places].map(([name, { start, size, shape }]) => [
        name,
        { data: data.subarray(start, start + size), dtype: 'float32', shape },
      ]),
    );
  }

  /** The whole vector. */
  get tensor(): HostTensor {
    return { data: this.data, dtype: 'float32', shape: [this.data.length] };
  }

  /** Where the numbers of `name` start in the vector. */
  startOf(name: string): number {
    return this.layout.places.get(name)!.start;
  }
}
