// The set of a scene: the room or outdoor space, and the objects that a picture may show.
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
