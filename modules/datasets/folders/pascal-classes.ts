// Names and numbers of classes in PASCAL VOC, PASCAL-Context and PASCAL-Part that the benchmark uses.
import type { Task } from '../../../registry/index.js';
// The kinds of its tasks: a digest of the data set's code covers theirs.
import '../../tasks/binary.js';
import '../../tasks/boundary.js';
import '../../tasks/classes.js';
import '../../tasks/normals.js';

export const VOC_CLASSES = [
  'background',
  'aeroplane',
  'bicycle',
  'bird',
  'boat',
  'bottle',
  'bus',
  'car',
  'cat',
  'chair',
  'cow',
  'diningtable',
  'dog',
  'horse',
  'motorbike',
  'person',
  'pottedplant',
  'sheep',
  'sofa',
  'train',
  'tvmonitor',
] as const;

export type VocClass = (typeof VOC_CLASSES)[number];

export const PERSON = VOC_CLASSES.indexOf('person');

/** PASCAL-Context's number of each VOC class, in order; every other number is background. */
export const CONTEXT_OF_VOC: readonly number[] = [
  0, 2, 23, 25, 31, 34, 45, 59, 65, 72, 98, 397, 113, 207, 258, 284, 308, 347, 368, 416, 427,
];

export const PART_CLASSES = [
  'background',
  'head',
  'torso',
  'upper arm',
  'lower arm',
  'upper leg',
  'lower leg',
] as const;

/** Which of the six parts each of PASCAL-Part's names for pieces of a person belongs to. */
export const PART_OF_PIECE: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['hair', 'head', 'lear', 'rear', 'lebrow', 'rebrow', 'leye', 'reye', 'mouth', 'nose'].map((name) => [
      name,
      1,
    ]),
  ),
  ...Object.fromEntries(['neck', 'torso'].map((name) => [name, 2])),
  ...Object.fromEntries(['luarm', 'ruarm'].map((name) => [name, 3])),
  ...Object.fromEntries(['llarm', 'rlarm', 'lhand', 'rhand'].map((name) => [name, 4])),
  ...Object.fromEntries(['luleg', 'ruleg'].map((name) => [name, 5])),
  ...Object.fromEntries(['llleg', 'rlleg', 'lfoot', 'rfoot'].map((name) => [name, 6])),
};

/**
 * PASCAL-Context numbers at which distilled normals count: the classes that NYU Depth v2 has too by name, and
 * tvmonitor (170). A network trained on rooms cannot be trusted elsewhere.
 */
export const NORMALS_VALID: ReadonlySet<number> = new Set([
  3, 4, 6, 9, 10, 11, 13, 15, 17, 18, 22, 23, 29, 30, 33, 34, 36, 37, 38, 39, 41, 43, 46, 49, 50, 51, 53, 55,
  56, 59, 61, 62, 65, 66, 68, 69, 72, 73, 78, 83, 84, 85, 87, 88, 95, 96, 101, 104, 105, 107, 111, 113, 115,
  122, 124, 135, 141, 142, 143, 146, 150, 154, 157, 158, 159, 165, 172, 174, 181, 183, 184, 191, 193, 195,
  197, 199, 202, 213, 215, 216, 219, 220, 223, 225, 228, 230, 232, 233, 238, 239, 242, 243, 246, 250, 251,
  252, 255, 260, 261, 263, 269, 272, 273, 275, 281, 283, 284, 285, 286, 287, 288, 290, 291, 292, 293, 295,
  304, 307, 309, 310, 314, 315, 319, 323, 329, 330, 331, 336, 342, 345, 349, 350, 351, 352, 355, 357, 368,
  370, 371, 374, 379, 380, 383, 384, 397, 401, 403, 405, 407, 408, 411, 412, 413, 414, 417, 419, 421, 423,
  427, 429, 430, 432, 440, 441, 442, 443, 444, 446, 454, 457,
]);

/** In the order in which the benchmark lists them. */
export const PASCAL_TASKS: readonly Task[] = [
  { name: 'semseg', kind: 'classes', channels: VOC_CLASSES.length, classes: VOC_CLASSES },
  { name: 'human_parts', kind: 'classes', channels: PART_CLASSES.length, classes: PART_CLASSES },
  { name: 'saliency', kind: 'binary', channels: 1 },
  { name: 'normals', kind: 'normals', channels: 3 },
  { name: 'edge', kind: 'boundary', channels: 1 },
];
