// Which of some boxes a ray meets, tested four at a time in WebAssembly. Single precision is enough: boxes are made a little
// larger, so that rounding finds a box too many now and then, and never one too few. The memory belongs to the thread, and
// holds the boxes that were asked last.
import {
  f32x4,
  i32,
  load,
  op,
  repeatWhile,
  storeI32,
  type Statement,
} from '../../../support/wasm/instructions.js';
import { WasmModule } from '../../../support/wasm/module.js';
import { keeper, type Vector } from '../../../support/wasm/vector.js';

/** Lower corner, then upper corner, in metres. */
export type Box = readonly number[];

/** On every side, in metres. Coordinates of up to 1000 m are rounded by less than a tenth of it. */
const MARGIN = 1e-3;
const LANES = 4;
/** Four boxes: x, y and z of the lower corners, then of the upper ones. */
const GROUP_FLOATS = 6 * LANES;
const GROUP_BYTES = 4 * GROUP_FLOATS;
const UPPER = GROUP_BYTES / 2;
const PAGE = 2 ** 16;

export class Boxes {
  /** In groups of four. */
  readonly #corners: Float32Array;
  #found: Int32Array = new Int32Array();

  constructor(boxes: readonly Box[]) {
    const groups = Math.max(1, Math.ceil(boxes.length / LANES));
    this.#corners = Float32Array.from({ length: groups * GROUP_FLOATS }, (_, i) => {
      const k = Math.floor((i % GROUP_FLOATS) / LANES);
      const outwards = k < 3 ? -1 : 1;
      const box = boxes[LANES * Math.floor(i / GROUP_FLOATS) + (i % LANES)];
      // Where the last group has no more boxes: no ray meets these.
      return box ? box[k] + outwards * MARGIN : -outwards * Infinity;
    });
  }

  /**
   * What the last `find` found: for each group with boxes on the way, its number times 16, plus a bit for each of these
   * boxes, the lowest for the first. Valid until other boxes are asked.
   */
  get found(): Int32Array {
    return this.#found;
  }

  /**
   * Looks for boxes on the way from o to o + limit d.
   * @returns how many numbers of `found` count
   */
  find(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, limit: number): number {
    const { byteLength } = this.#corners;
    if (kernel?.owner !== this) this.#load();
    const ix = 1 / dx;
    const iy = 1 / dy;
    const iz = 1 / dz;
    // On each axis, which corner the ray meets first.
    const nearX = ix < 0 ? UPPER : 0;
    const nearY = iy < 0 ? UPPER : 0;
    const nearZ = iz < 0 ? UPPER : 0;
    return kernel!.find(byteLength, ox, oy, oz, ix, iy, iz, nearX, nearY, nearZ, limit);
  }

  #load(): void {
    const { length, byteLength } = this.#corners;
    const pages = Math.ceil((byteLength + (4 * length) / GROUP_FLOATS) / PAGE);
    if (!kernel || kernel.pages < pages) kernel = new Kernel(pages);
    kernel.floats.set(this.#corners);
    kernel.owner = this;
    this.#found = kernel.integers.subarray(length);
  }
}

/** Groups lie at 0, what is found directly behind them, at `end`. */
class Kernel {
  readonly floats: Float32Array;
  readonly integers: Int32Array;
  readonly find: (
    end: number,
    ...ray: [ox: number, oy: number, oz: number, ix: number, iy: number, iz: number, ...near: number[]]
  ) => number;
  owner?: Boxes;

  constructor(readonly pages: number) {
    const { memory, exports } = findModule(pages).instantiate();
    this.floats = new Float32Array(memory.buffer);
    this.integers = new Int32Array(memory.buffer);
    this.find = exports.find as Kernel['find'];
  }
}

let kernel: Kernel | undefined;

function findModule(pages: number): WasmModule {
  const module = new WasmModule(pages);
  module.define(
    'find',
    ['i32', 'f32', 'f32', 'f32', 'f32', 'f32', 'f32', 'i32', 'i32', 'i32', 'f32'],
    (declare, end, ox, oy, oz, ix, iy, iz, nearX, nearY, nearZ, limit) => {
      const before: Statement[] = [];
      const keep = keeper(declare, before);
      const [group, code, out, hits] = [0, 1, 2, 3].map(() => declare('i32'));
      // An axis along which the ray does not move gives 0 * Infinity for a ray that starts on a face. The first operand of
      // pmin and pmax is then kept, as if the axis were not there.
      let enter: Vector = f32x4(0);
      let leave: Vector = keep(op('f32x4.splat', limit.get()));
      const axes = [
        [ox, ix, nearX],
        [oy, iy, nearY],
        [oz, iz, nearZ],
      ] as const;
      axes.forEach(([o, i, near], k) => {
        const origin = keep(op('f32x4.splat', o.get()));
        const inverse = keep(op('f32x4.splat', i.get()));
        const far = declare('i32');
        before.push(far.set(op('i32.sub', i32(UPPER), near.get())));
        const meet = (side: typeof near) => {
          const corner = load('v128.load', op('i32.add', group.get(), side.get()), 4 * LANES * k);
          return op('f32x4.mul', op('f32x4.sub', corner, origin), inverse);
        };
        enter = op('f32x4.pmax', enter, meet(near));
        leave = op('f32x4.pmin', leave, meet(far));
      });
      const isHit = op('i32.eqz', op('i32.eqz', hits.get()));
      return [
        ...before,
        out.set(end.get()),
        repeatWhile(
          [
            hits.set(op('i32x4.bitmask', op('f32x4.le', enter, leave))),
            // Written over by the next one if there is no hit.
            storeI32(out.get(), op('i32.add', code.get(), hits.get())),
            out.set(op('i32.add', out.get(), op('i32.shl', isHit, i32(2)))),
            code.set(op('i32.add', code.get(), i32(16))),
            group.set(op('i32.add', group.get(), i32(GROUP_BYTES))),
          ],
          op('i32.lt_u', group.get(), end.get()),
        ),
        op('i32.shr_s', op('i32.sub', out.get(), end.get()), i32(2)),
      ];
    },
  );
  return module;
}
