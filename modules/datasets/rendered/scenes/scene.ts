// One sample of the PASCAL_MT layout from a seeded stream: a set, indoors or out, a view and its labels.
import type { RandomStream } from '../../../../registry/index.js';
import type { PascalSample } from '../../folders/pascal.js';
import { Dice } from '../dice.js';
import type { Intrinsics } from '../tracer/camera.js';
import { renderView } from '../tracer/render.js';
import { buildIndoors } from './indoors.js';
import { labelsOf } from '../labels/pascal.js';
import { buildOutdoors } from './outdoors.js';
import { findSubject } from './view.js';

const INDOORS = 0.35;
/** Of the real benchmark's images less than a third have VOC's own map, the one with void borders. */
const WITH_BORDERS = 0.7;

export interface RenderedScene extends Omit<PascalSample, 'id'> {
  camera: Intrinsics;
}

/** Draws sets until one offers a view, then renders it. */
export function renderScene(random: RandomStream, height: number, width: number): RenderedScene {
  const dice = new Dice(random);
  for (;;) {
    const set = dice.chance(INDOORS) ? buildIndoors(random) : buildOutdoors(random);
    const camera = findSubject(set, dice, height, width);
    if (!camera) continue;
    const voc = dice.chance(WITH_BORDERS);
    const { image, surfaces, normals } = renderView(set.built, camera, random, height, width);
    const labels = labelsOf(set, surfaces, height, width, voc);
    return { height, width, image, normals, voc, camera, ...labels };
  }
}
