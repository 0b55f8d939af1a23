// Where parameters lie in a vector. The optimizer works on a few long vectors instead of hundreds of small ones: weights,
// gradients and each part of its state have one layout.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { sizeOf } from '../../engine/graph/ir.js';
import { groupParameters, type GroupedParameters, type TrainedParameters } from '../../model/groups.js';

/** Parameters start at multiples of a cache line. */
export const ALIGN = 16;

export interface Place {
  start: number;
  size: number;
  shape: readonly number[];
}

const upTo = (length: number, multiple: number): number => Math.ceil(length / multiple) * multiple;

export class Layout {
  readonly places: ReadonlyMap<string, Place>;
  /** Numbers in a vector, those between parameters included. */
  readonly length: number;

  /**
   * @param multiple the vector's length is a multiple of this
   * @param heads start at a multiple of it, too
   */
  constructor(
    shapes: ReadonlyMap<string, readonly number[]>,
    multiple = ALIGN,
    heads: ReadonlySet<string> = new Set(),
  ) {
    const places = new Map<string, Place>();
    let length = 0;
    for (const [name, shape] of shapes) {
      const size = sizeOf(shape);
      if (heads.has(name)) length = upTo(length, multiple);
      places.set(name, { start: length, size, shape });
      length += upTo(size, ALIGN);
    }
    this.places = places;
    this.length = Math.max(multiple, upTo(length, multiple));
  }
}

/** The layout of an optimizer's vectors: parameters of a group are neighbours. */
export class GroupedLayout extends Layout {
  readonly groups: readonly GroupedParameters[];

  /**
   * @param multiple at which each group starts
   */
  constructor(trained: TrainedParameters, optimizer: Optimizer, multiple = ALIGN) {
    const { shapes } = trained;
    const groups = groupParameters(trained, optimizer);
    const names = groups.flatMap((group) => group.names);
    super(
      new Map(names.map((name) => [name, shapes.get(name)!])),
      multiple,
      new Set(groups.map((group) => group.names[0])),
    );
    this.groups = groups;
  }

  /** Where each group starts. */
  get starts(): number[] {
    return this.groups.map(({ names }) => this.places.get(names[0])!.start);
  }
}
