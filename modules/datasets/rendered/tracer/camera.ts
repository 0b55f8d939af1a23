// A pinhole camera held by somebody who stands in the room and shows it: near a wall, looking across, a little
// downwards. Pixel (row i, column j) sees through (j + 0.5, i + 0.5); x is right, y down, z forward.
import type { Dice } from '../dice.js';
import type { World } from './world.js';
import type { Hit, Scene } from './scene.js';
import type { Vector } from './solids.js';

export interface Intrinsics {
  /** Focal length and principal point in pixels; the centre of the first pixel is at (0.5, 0.5). */
  focal: number;
  cx: number;
  cy: number;
}

export interface Camera extends Intrinsics {
  at: Vector;
  right: Vector;
  down: Vector;
  forward: Vector;
}

/** Rays of the grid that judges a view. */
const PROBE: readonly [number, number] = [12, 16];
const CANDIDATES = 60;
/** How many acceptable views are compared. */
const ACCEPTABLE = 8;
const NEAREST = 0.5;
/** Radians across. All pictures of NYUD-v2 are one Kinect's, and so metres can be read off a picture; so they can here. */
const FIELD_OF_VIEW = (63 * Math.PI) / 180;

/** A view that shows something, or nothing if the room has none. */
export function findView(built: World, dice: Dice, height: number, width: number): Camera | undefined {
  let best: Camera | undefined;
  let bestWorth = 0;
  let accepted = 0;
  for (let i = 0; i < CANDIDATES && accepted < ACCEPTABLE; i++) {
    const camera = drawCamera(built, dice, height, width);
    const worth = judge(built, camera, height, width);
    if (worth > 0) accepted++;
    if (worth > bestWorth) [best, bestWorth] = [camera, worth];
  }
  return best;
}

function drawCamera({ room }: World, dice: Dice, height: number, width: number): Camera {
  const [w, d, h] = room.size;
  const side = dice.integer(0, 3);
  const [across, away] = [dice.range(0.12, 0.88), dice.range(0.06, 0.25)];
  const x = side === 0 ? w * across : side === 1 ? w * away : side === 2 ? w * across : w * (1 - away);
  const y = side === 0 ? d * (1 - away) : side === 1 ? d * across : side === 2 ? d * away : d * across;
  const z = Math.min(h - 0.5, dice.range(1.05, 1.75));
  // Towards a point well inside the room.
  const target = [w * dice.range(0.3, 0.7), d * dice.range(0.3, 0.7)];
  const yaw = Math.atan2(target[1] - y, target[0] - x) + dice.range(-0.35, 0.35);
  const pitch = (dice.range(-22, 2) * Math.PI) / 180;
  const roll = (dice.normal() * 1.5 * Math.PI) / 180;
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const forward: Vector = [cy * cp, sy * cp, sp];
  const level: Vector = [sy, -cy, 0];
  const below: Vector = [cy * sp, sy * sp, -cp];
  const [c, s] = [Math.cos(roll), Math.sin(roll)];
  const blend = (a: number, b: number): Vector =>
    [0, 1, 2].map((k) => a * level[k] + b * below[k]) as unknown as Vector;
  return {
    at: [x, y, z],
    forward,
    right: blend(c, s),
    down: blend(-s, c),
    focal: width / 2 / Math.tan(FIELD_OF_VIEW / 2),
    cx: width / 2,
    cy: height / 2,
  };
}

/** 0 if the view is too near, too far or too empty; else more for more classes and more furniture. */
function judge({ scene, labels }: World, camera: Camera, height: number, width: number): number {
  if (scene.inside(...camera.at)) return 0;
  const [rows, columns] = PROBE;
  const counts = new Map<number, number>();
  let total = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const hit = traceThrough(scene, camera, ((j + 0.5) / columns) * width, ((i + 0.5) / rows) * height);
      if (hit.distance < NEAREST) return 0;
      total += hit.distance;
      counts.set(labels[hit.surface], (counts.get(labels[hit.surface]) ?? 0) + 1);
    }
  const rays = rows * columns;
  const seen = [...counts.values()].filter((count) => count >= 2).length;
  const shell = (counts.get(0) ?? 0) + (counts.get(1) ?? 0) + (counts.get(21) ?? 0);
  const largest = Math.max(...counts.values());
  if (total / rays < 1.6 || seen < 5 || largest > 0.5 * rays || shell > 0.75 * rays) return 0;
  return seen + 16 * (1 - shell / rays);
}

/**
 * What the ray through pixel position (x, y) meets; distances are depths along the optical axis.
 * @param surface what it meets, if that is known
 */
export function traceThrough(scene: Scene, camera: Camera, x: number, y: number, surface = -1): Hit {
  const { at, right, down, forward } = camera;
  const u = (x - camera.cx) / camera.focal;
  const v = (y - camera.cy) / camera.focal;
  const dx = forward[0] + u * right[0] + v * down[0];
  const dy = forward[1] + u * right[1] + v * down[1];
  const dz = forward[2] + u * right[2] + v * down[2];
  if (surface >= 0) return scene.traceTo(surface, at[0], at[1], at[2], dx, dy, dz);
  return scene.trace(at[0], at[1], at[2], dx, dy, dz);
}
