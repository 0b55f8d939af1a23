// Where the photographer of a scene stands: at a distance that makes the subject fill a good part of the
// picture, sometimes far too far away, never inside or right in front of something.
import { traceThrough, type Camera } from '../tracer/camera.js';
import type { Dice } from '../dice.js';
import type { Spot } from '../rooms/room.js';
import type { Vector } from '../tracer/solids.js';
import type { SceneSet } from './scene-set.js';

const CANDIDATES = 24;
const PROBE = 18;

/** A view of the set's first subject, or nothing if it cannot be seen well from anywhere. */
export function findSubject(set: SceneSet, dice: Dice, height: number, width: number): Camera | undefined {
  const subject = set.subjects.find((_, i) => i === 0 || dice.chance(0.3));
  if (!subject) return undefined;
  // One picture in eight shows its subject from afar.
  const fill = dice.chance(0.12) ? dice.range(0.1, 0.22) : dice.range(0.35, 1.05);
  let best: Camera | undefined;
  let bestShare = 0;
  for (let i = 0, good = 0; i < CANDIDATES && good < 3; i++) {
    const camera = drawCamera(set, subject, fill, dice, height, width);
    const share = camera ? visibleShare(set, subject, camera, height, width) : 0;
    if (share > 0.02) good++;
    if (share > bestShare) [best, bestShare] = [camera, share];
  }
  return bestShare > (fill < 0.3 ? 0.003 : 0.015) ? best : undefined;
}

function drawCamera(
  { built, outdoors }: SceneSet,
  subject: Spot,
  fill: number,
  dice: Dice,
  height: number,
  width: number,
): Camera | undefined {
  const { room } = built;
  const [w, d, h] = subject.model.size;
  const angle = (dice.range(38, 62) * Math.PI) / 180;
  const focal = height / 2 / Math.tan(angle / 2);
  // From the front or the side what counts is the length of a vehicle, but the height of a person.
  const extent = Math.max(h, (Math.max(w, d) * height) / width) * 0.9;
  const distance = Math.max(0.9, extent / (2 * Math.tan(angle / 2) * fill));
  // Fronts look along (sin yaw, -cos yaw); two pictures in three are taken from there.
  const front = ((subject.yaw - 90) * Math.PI) / 180;
  const bearing = front + dice.range(-1, 1) * (dice.chance(0.67) ? 1.2 : Math.PI);
  const at: Vector = [
    subject.x + distance * Math.cos(bearing),
    subject.y + distance * Math.sin(bearing),
    Math.max(
      0.25,
      subject.z +
        (h < 0.8 ? dice.range(0.3, 1.2) : dice.range(0.35, outdoors ? 1.3 : 1.05) * Math.min(h, 1.8)),
    ),
  ];
  const margin = 0.2;
  if (at.some((value, k) => value < margin || value > room.size[k] - margin)) return undefined;
  if (built.scene.inside(...at)) return undefined;
  const aim: Vector = [
    subject.x + dice.normal() * 0.1 * extent,
    subject.y + dice.normal() * 0.1 * extent,
    subject.z + h * dice.range(0.4, 0.62),
  ];
  const [dx, dy, dz] = [aim[0] - at[0], aim[1] - at[1], aim[2] - at[2]];
  return lookAlong(
    at,
    Math.atan2(dy, dx),
    Math.atan2(dz, Math.hypot(dx, dy)),
    dice.normal() * 0.03,
    focal,
    height,
    width,
  );
}

function lookAlong(
  at: Vector,
  yaw: number,
  pitch: number,
  roll: number,
  focal: number,
  height: number,
  width: number,
): Camera {
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const [c, s] = [Math.cos(roll), Math.sin(roll)];
  const level: Vector = [sy, -cy, 0];
  const below: Vector = [cy * sp, sy * sp, -cp];
  const blend = (a: number, b: number): Vector => [
    a * level[0] + b * below[0],
    a * level[1] + b * below[1],
    a * level[2] + b * below[2],
  ];
  return {
    at,
    forward: [cy * cp, sy * cp, sp],
    right: blend(c, s),
    down: blend(-s, c),
    focal,
    cx: width / 2,
    cy: height / 2,
  };
}

/** Share of the picture that shows the subject; 0 if something is right in front of the lens. */
function visibleShare(
  { built }: SceneSet,
  subject: Spot,
  camera: Camera,
  height: number,
  width: number,
): number {
  const { parts } = built.room;
  let seen = 0;
  for (let i = 0; i < PROBE; i++)
    for (let j = 0; j < PROBE; j++) {
      const hit = traceThrough(
        built.scene,
        camera,
        ((j + 0.5) / PROBE) * width,
        ((i + 0.5) / PROBE) * height,
      );
      if (hit.distance < 0.4) return 0;
      if (hit.surface < parts.length && parts[hit.surface].thing === subject.thing) seen++;
    }
  return seen / PROBE ** 2;
}
