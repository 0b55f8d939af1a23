// An empty room that is being furnished. It knows what is free: rectangles of the floor, and on each wall
// spans between heights, so that nothing stands in or hangs behind anything else.
import type { Light } from '../tracer/world.js';
import { placed, type Model, type Part, type Vector } from '../tracer/solids.js';
import type { Style } from '../props/style.js';

/** Where a model went. */
export interface Spot {
  x: number;
  y: number;
  z: number;
  /** Degrees; the front looks along (sin yaw, -cos yaw). */
  yaw: number;
  model: Model;
  /** The number that its parts have as `thing`. */
  thing: number;
  wall?: number;
  /** Along the wall, of the model's middle. */
  along?: number;
  /** The floor it stands on. */
  needed?: Rectangle;
}

interface Rectangle {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  top: number;
}

interface Span {
  from: number;
  to: number;
  low: number;
  high: number;
}

const TRIES = 12;
const GAP = 0.03;

export class Room {
  readonly parts: Part[] = [];
  readonly lights: Light[] = [];
  readonly floor: Rectangle[] = [];
  readonly #walls: Span[][] = [[], [], [], []];
  #things = 0;

  constructor(
    readonly style: Style,
    readonly size: Vector,
    /** Materials of the four walls, the floor and the ceiling, in the order of the faces of a scene. */
    readonly surfaces: readonly Part['material'][],
  ) {}

  /** Walls are numbered counter-clockwise from the one at y = depth; even ones run along x. */
  wallLength(wall: number): number {
    return this.size[wall % 2];
  }

  /** Stands a model with its back to some wall, or does nothing if there is no place. */
  stand(model: Model, { walls = [0, 1, 2, 3], clearance = 0.35, gap = 0.01 } = {}): Spot | undefined {
    const { dice } = this.style;
    for (let i = 0; i < TRIES; i++) {
      const wall = dice.pick(walls);
      const half = model.size[0] / 2;
      const along = dice.range(half + GAP, this.wallLength(wall) - half - GAP);
      const spot = this.#standAt(model, wall, along, clearance, gap);
      if (spot) return spot;
    }
    return undefined;
  }

  /** Stands a model beside another one at the same wall, `side` -1 or 1. */
  beside(neighbour: Spot, model: Model, side: number): Spot | undefined {
    if (neighbour.wall === undefined || neighbour.along === undefined) return undefined;
    const reach = neighbour.model.size[0] / 2 + model.size[0] / 2 + this.style.dice.range(0.04, 0.12);
    return this.#standAt(model, neighbour.wall, neighbour.along + side * reach, 0, 0.01);
  }

  #standAt(model: Model, wall: number, along: number, clearance: number, gap: number): Spot | undefined {
    const [width, depth, height] = model.size;
    const span = { from: along - width / 2, to: along + width / 2, low: 0, high: height };
    if (span.from < 0 || span.to > this.wallLength(wall) || !this.#wallFree(wall, span)) return undefined;
    const { x, y, yaw } = this.#fromWall(wall, along, depth / 2 + gap);
    const needed = rectangle(x, y, yaw, [width, depth, height]);
    const front = rectangle(...this.#shifted(wall, along, depth + gap + clearance / 2), yaw, [
      width * 0.9,
      clearance,
      0,
    ]);
    if (!this.#floorFree(needed) || !this.#inside(front) || !this.#floorFree(front)) return undefined;
    this.#walls[wall].push(span);
    this.floor.push(needed);
    return this.#put({ x, y, z: 0, yaw, model, wall, along });
  }

  /** Hangs a model at a wall with its lower edge at `low`; `along` fixes the place on the wall. */
  hang(
    model: Model,
    low: number,
    place: { walls?: readonly number[]; along?: number } = {},
  ): Spot | undefined {
    const { dice } = this.style;
    const [width, , height] = model.size;
    if (low + height > this.size[2] - 0.03) return undefined;
    for (let i = 0; i < TRIES; i++) {
      const wall = dice.pick(place.walls ?? [0, 1, 2, 3]);
      const half = width / 2 + 0.02;
      const along = place.along ?? dice.range(half, this.wallLength(wall) - half);
      const span = { from: along - half, to: along + half, low: low - GAP, high: low + height + GAP };
      if (span.from < 0 || span.to > this.wallLength(wall) || !this.#wallFree(wall, span)) continue;
      this.#walls[wall].push(span);
      return this.#put({ ...this.#fromWall(wall, along, 0), z: low, model, wall, along });
    }
    return undefined;
  }

  /** Hangs a model over one that hangs or stands there already, such as curtains over a window. */
  over(spot: Spot, model: Model, low: number): void {
    if (spot.wall === undefined || spot.along === undefined) return;
    const span = {
      from: spot.along - model.size[0] / 2,
      to: spot.along + model.size[0] / 2,
      low,
      high: low + model.size[2],
    };
    this.#walls[spot.wall].push(span);
    this.#put({ ...this.#fromWall(spot.wall, spot.along, 0), z: low, model });
  }

  /** Puts a model on the free floor, anywhere or near (x, y). */
  drop(model: Model, near?: { x: number; y: number; within: number }, yaw?: number): Spot | undefined {
    const { dice } = this.style;
    for (let i = 0; i < TRIES; i++) {
      const x = near ? near.x + dice.range(-near.within, near.within) : dice.range(0.3, this.size[0] - 0.3);
      const y = near ? near.y + dice.range(-near.within, near.within) : dice.range(0.3, this.size[1] - 0.3);
      const spot = this.place(model, x, y, yaw ?? dice.range(0, 360));
      if (spot) return spot;
    }
    return undefined;
  }

  /** Puts a model on the floor just there, if that is free; it may reach under the table at `under`. */
  place(model: Model, x: number, y: number, yaw: number, under?: Spot): Spot | undefined {
    const needed = rectangle(x, y, yaw, model.size);
    if (!this.#inside(needed) || !this.#floorFree(needed, under?.needed)) return undefined;
    this.floor.push(needed);
    return this.#put({ x, y, z: 0, yaw, model, needed });
  }

  /** Puts a model where it disturbs nobody: on a table, flat on the floor, under the ceiling. */
  put(model: Model, x: number, y: number, z: number, yaw: number): Spot {
    return this.#put({ x, y, z, yaw, model });
  }

  /** Keeps the floor in front of a door free. */
  keepFree({ wall, along, model }: Spot, deep: number): void {
    if (wall === undefined || along === undefined) return;
    const [x, y] = this.#shifted(wall, along, deep / 2);
    this.floor.push(rectangle(x, y, 90 * wall, [model.size[0], deep, 0]));
  }

  /** A point in the frame of a placed model, in the room. */
  pointOf({ x, y, z, yaw }: Spot, [px, py, pz]: Vector): Vector {
    const [sin, cos] = sinCos(yaw);
    return [x + cos * px - sin * py, y + sin * px + cos * py, z + pz];
  }

  #put(place: Omit<Spot, 'thing'>): Spot {
    const spot = { ...place, thing: this.#things++ };
    this.parts.push(...placed(spot.model, [spot.x, spot.y, spot.z], spot.yaw, spot.thing));
    return spot;
  }

  #shifted(wall: number, along: number, distance: number): [number, number] {
    const { x, y } = this.#fromWall(wall, along, distance);
    return [x, y];
  }

  #fromWall(wall: number, along: number, distance: number): { x: number; y: number; yaw: number } {
    const [width, depth] = this.size;
    const yaw = 90 * wall;
    if (wall === 0) return { x: along, y: depth - distance, yaw };
    if (wall === 1) return { x: distance, y: along, yaw };
    if (wall === 2) return { x: width - along, y: distance, yaw };
    return { x: width - distance, y: depth - along, yaw };
  }

  #wallFree(wall: number, span: Span): boolean {
    return this.#walls[wall].every(
      (other) =>
        span.from >= other.to || span.to <= other.from || span.low >= other.high || span.high <= other.low,
    );
  }

  #floorFree({ x0, y0, x1, y1 }: Rectangle, except?: Rectangle): boolean {
    return this.floor.every(
      (other) =>
        other === except ||
        x0 >= other.x1 + GAP ||
        x1 <= other.x0 - GAP ||
        y0 >= other.y1 + GAP ||
        y1 <= other.y0 - GAP,
    );
  }

  #inside({ x0, y0, x1, y1 }: Rectangle): boolean {
    return x0 >= 0 && y0 >= 0 && x1 <= this.size[0] && y1 <= this.size[1];
  }
}

/** The rectangle along the walls that a turned footprint needs. */
function rectangle(x: number, y: number, yaw: number, [width, depth, height]: Vector): Rectangle {
  const [sin, cos] = sinCos(yaw).map(Math.abs);
  const [hx, hy] = [(cos * width + sin * depth) / 2, (sin * width + cos * depth) / 2];
  return { x0: x - hx, y0: y - hy, x1: x + hx, y1: y + hy, top: height };
}

function sinCos(degrees: number): [number, number] {
  return [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
}
