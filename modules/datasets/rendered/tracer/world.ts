// What the tracer renders: solids in a box with six faces, and lights. Rooms and outdoor scenes are built as this.
import type { Material, Rgb } from './materials.js';
import type { Scene } from './scene.js';
import type { Part, Vector } from './solids.js';

export interface Light {
  at: Vector;
  /** A lamp is a ball of `radius`; a window is the rectangle `at` +- `across` +- `up`, lit one way, along `along`. */
  radius: number;
  window?: { across: Vector; up: Vector; along: Vector };
  /** Radiant power, colour included. */
  power: Rgb;
  /** Shadows of what is nearer to the light than this are not seen: its own shade. */
  clear: number;
}

export interface World {
  room: {
    /** Width, depth and height of the box, in metres. */
    readonly size: Vector;
    readonly parts: readonly Part[];
    readonly lights: readonly Light[];
    /** Materials of the four walls, the floor and the ceiling, in the order of the faces of the scene. */
    readonly surfaces: readonly Material[];
  };
  scene: Scene;
  /** Class and material of every surface of the scene: its parts, then the six faces of the box. */
  labels: Uint8Array;
  materials: readonly Material[];
  /** Light that comes from everywhere, if it is not that of lamps and windows thrown back by the walls. */
  ambient?: readonly number[];
}
