// Where a scene takes place, and what there is to see.
import type { BuiltRoom } from '../rooms/build.js';
import type { Spot } from '../rooms/room.js';

export interface SceneSet {
  built: BuiltRoom;
  /** What a photographer would point at, the most interesting first. */
  subjects: readonly Spot[];
  /** PASCAL-Context's number for the ground. */
  ground: number;
  outdoors: boolean;
}
