// The 13 classes into which MTAN, LibMTL and the SceneNet authors gather NYU Depth v2's 40. Which class goes where is
// the table class13Mapping.mat that those authors publish (github.com/ankurhanda/nyuv2-meta-data). Gathering is all
// that happens here: files on disk keep 40 classes.
import { IGNORE, type LabelMap, type Task } from '../../../registry/index.js';

export const NYUD_13_CLASSES = [
  'bed',
  'books',
  'ceiling',
  'chair',
  'floor',
  'furniture',
  'objects',
  'picture',
  'sofa',
  'table',
  'television',
  'wall',
  'window',
] as const;

/** For each of the 40 classes, its number among the 13, from 1 as in the published table. */
const PUBLISHED = [
  12, 5, 6, 1, 4, 9, 10, 12, 13, 6, 8, 6, 13, 10, 6, 13, 6, 7, 7, 5, 7, 3, 2, 6, 11, 7, 7, 7, 7, 7, 7, 6, 7,
  7, 7, 7, 7, 7, 6, 7,
];

/** From a class of the 40, or IGNORE, to one of the 13. */
const GATHERED = new Uint8Array(256).fill(IGNORE);
GATHERED.set(PUBLISHED.map((number) => number - 1));

/** How many classes of NYU Depth v2 are told apart. */
export type NyudClassCount = 40 | 13;

/** The option of data sets with NYU Depth v2's classes. */
export const nyudClassesOption = {
  description: "40 classes, or the 13 into which MTAN's and LibMTL's protocol gathers them",
  enum: [40, 13],
  default: 40,
} as const;

/** The tasks of the layout, with segmentation in 13 classes. */
export const withThirteenClasses = (tasks: readonly Task[]): readonly Task[] =>
  tasks.map((task) =>
    task.name === 'semseg' ? { ...task, channels: NYUD_13_CLASSES.length, classes: NYUD_13_CLASSES } : task,
  );

/** @param label 40 classes from 0, or IGNORE; not changed */
export const inThirteenClasses = (label: LabelMap): LabelMap => ({
  ...label,
  data: Uint8Array.from(label.data, (value) => GATHERED[value]),
});
