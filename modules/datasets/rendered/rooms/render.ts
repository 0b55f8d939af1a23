// A picture of a room from a seeded stream.
import type { RandomStream } from '../../../../registry/index.js';
import { Dice } from '../dice.js';
import { findView } from '../tracer/camera.js';
import { renderView, type Rendering } from '../tracer/render.js';
import { buildRoom } from './build.js';

/** Draws rooms until one offers a view, then renders it. */
export function renderRoom(random: RandomStream, height: number, width: number): Rendering {
  for (;;) {
    const built = buildRoom(random);
    const dice = new Dice(random);
    const camera = findView(built, dice, height, width);
    if (camera) return renderView(built, camera, random, height, width);
  }
}
