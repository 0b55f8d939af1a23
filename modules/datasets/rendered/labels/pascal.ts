// Makes PASCAL_MT labels from the surfaces that the pixels of a picture show: objects with masks and parts, VOC
// classes with void borders, salient objects, PASCAL-Context numbers.
import { NYUD_CLASSES } from '../../folders/nyud.js';
import { CONTEXT_OF_VOC, VOC_CLASSES, type VocClass } from '../../folders/pascal-classes.js';
import type { ObjectMasks } from '../../folders/pascal-parts.js';
import type { Part } from '../tracer/solids.js';
import { IGNORE } from '../../../../registry/index.js';
import type { World } from '../tracer/world.js';

/** VOC classes of NYUD furniture. */
const VOC_OF_NYUD: Readonly<Record<string, VocClass>> = {
  chair: 'chair',
  sofa: 'sofa',
  table: 'diningtable',
  television: 'tvmonitor',
  person: 'person',
};

/** PASCAL-Context numbers. */
const UNKNOWN = 431;
const SKY = 360;
const CONTEXT_OF_NYUD: Readonly<Record<string, number>> = {
  wall: 440,
  floor: 158,
  cabinet: 46,
  bed: 18,
  door: 115,
  window: 454,
  bookshelf: 349,
  picture: 287,
  counter: 96,
  blinds: 455,
  desk: 397,
  shelves: 349,
  curtain: 105,
  dresser: 46,
  pillow: 290,
  mirror: 252,
  'floor-mat': 244,
  clothes: 80,
  ceiling: 68,
  books: 33,
  refridgerator: 170,
  paper: 273,
  towel: 412,
  'shower-curtain': 105,
  box: 37,
  whiteboard: 30,
  'night-stand': 46,
  toilet: 408,
  sink: 357,
  lamp: 232,
  bathtub: 17,
  bag: 9,
};

export interface SceneLabels {
  objects: readonly ObjectMasks[];
  semseg: Uint8Array;
  saliency: Uint8Array;
  context: Uint16Array;
}

/** The scene that is labelled. */
interface Labelled {
  built: World;
  /** PASCAL-Context's number for the ground. */
  ground: number;
  outdoors: boolean;
}

interface SurfaceInfo {
  voc: number;
  context: number;
  piece?: string;
  /** Number of the object: a thing put into the scene, one class at a time; -1 for what is none. */
  object: number;
}

/** @param border whether unknown pixels run around every object, as in VOC's own maps */
export function labelsOf(
  { built, ground, outdoors }: Labelled,
  surfaces: Int32Array,
  height: number,
  width: number,
  border: boolean,
): SceneLabels {
  const table = [...surfaceTable(built.room.parts), ...shellTable(ground, outdoors)];
  const pixels = Array.from(surfaces, (surface) => table[surface]);
  const objectOf = Int32Array.from(pixels, ({ object }) => object);
  const semseg = Uint8Array.from(pixels, ({ voc }) => voc);
  if (border) drawBorders(semseg, objectOf, height, width);
  return {
    objects: objectsOf(pixels),
    semseg,
    saliency: saliencyOf(objectOf, height, width),
    context: Uint16Array.from(pixels, ({ context }) => context),
  };
}

/** The six faces around the scene. */
function shellTable(ground: number, outdoors: boolean): SurfaceInfo[] {
  const [wall, lid] = outdoors ? [UNKNOWN, SKY] : [CONTEXT_OF_NYUD.wall, CONTEXT_OF_NYUD.ceiling];
  return [wall, wall, wall, wall, ground, lid].map((context) => ({ voc: 0, context, object: -1 }));
}

function surfaceTable(parts: readonly Part[]): SurfaceInfo[] {
  const numbers = new Map<string, number>();
  return parts.map(({ voc: own, label, piece, thing }) => {
    const nyud = NYUD_CLASSES[label];
    const name = (own as VocClass | undefined) ?? VOC_OF_NYUD[nyud];
    const voc = name ? VOC_CLASSES.indexOf(name) : 0;
    const context = voc ? CONTEXT_OF_VOC[voc] : (CONTEXT_OF_NYUD[nyud] ?? UNKNOWN);
    if (!voc) return { voc, context, object: -1 };
    const key = `${thing} ${voc}`;
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return { voc, context, piece, object: numbers.get(key)! };
  });
}

function objectsOf(pixels: readonly SurfaceInfo[]): ObjectMasks[] {
  const found = new Map<number, { index: number; mask: Uint8Array; pieces: Map<string, Uint8Array> }>();
  for (const [p, { object, voc, piece }] of pixels.entries()) {
    if (object < 0) continue;
    if (!found.has(object))
      found.set(object, { index: voc, mask: new Uint8Array(pixels.length), pieces: new Map() });
    const { mask, pieces } = found.get(object)!;
    mask[p] = 1;
    if (piece === undefined) continue;
    if (!pieces.has(piece)) pieces.set(piece, new Uint8Array(pixels.length));
    pieces.get(piece)![p] = 1;
  }
  return [...found.values()].map(({ index, mask, pieces }) => ({
    name: VOC_CLASSES[index],
    index,
    mask,
    pieces: [...pieces].map(([name, piece]) => ({ name, mask: piece })),
  }));
}

/** Void between objects and around them, about a hundredth of the picture wide as in VOC, at least a pixel. */
function drawBorders(semseg: Uint8Array, objectOf: Int32Array, height: number, width: number): void {
  const wide = Math.max(1, Math.round(0.01 * Math.max(height, width)));
  const [before, after] = [Math.floor(wide / 2), Math.ceil(wide / 2)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = objectOf[y * width + x];
      for (let j = Math.max(0, y - before); j <= Math.min(height - 1, y + after); j++)
        for (let i = Math.max(0, x - before); i <= Math.min(width - 1, x + after); i++) {
          const other = objectOf[j * width + i];
          if (other !== own) semseg[y * width + x] = IGNORE;
        }
    }
}

/**
 * What a viewer would look at: the object with the most area near the middle, and those that come close to it.
 * Nothing, if all are tiny.
 */
function saliencyOf(objectOf: Int32Array, height: number, width: number): Uint8Array {
  const weight = new Map<number, number>();
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      if (objectOf[p] < 0) continue;
      const [dx, dy] = [(x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5];
      const near = Math.exp(-(dx * dx + dy * dy) / 0.08);
      weight.set(objectOf[p], (weight.get(objectOf[p]) ?? 0) + near);
    }
  const most = Math.max(0, ...weight.values());
  const enough = Math.max(0.4 * most, 0.004 * height * width);
  return Uint8Array.from(objectOf, (object) => Number((weight.get(object) ?? 0) >= enough));
}
