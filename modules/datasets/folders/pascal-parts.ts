// Annotations of PASCAL-Part: a MAT file for each image with a struct of objects, each with a class, a mask and the
// masks of its parts. They are read as the benchmark's map of human parts in seven classes, and written from masks.
import { MtcpError, type MapData } from '../../../registry/index.js';
import { didYouMean } from '../../../registry/support/near.js';
import {
  encodeMat,
  matNumber,
  matStructs,
  matText,
  readMat,
  rowMajor,
  type MatInput,
  type MatNumbers,
  type MatValue,
} from '../formats/mat.js';
import { PART_OF_PIECE, PERSON } from './pascal-classes.js';

export interface Annotation {
  objects: readonly AnnotatedObject[];
}

interface AnnotatedObject {
  /** VOC class. */
  index: number;
  mask: MatNumbers;
  pieces: readonly { name: string; mask: MatNumbers }[];
}

export async function readAnnotation(file: string): Promise<Annotation> {
  const { anno } = await readMat(file, 'anno');
  const fail = (what: string): never => {
    throw new MtcpError('data', `is not an annotation of PASCAL-Part: ${what}`, {
      where: file,
      hint: 'expected a struct "anno" with objects of class, class_ind, mask and parts',
    });
  };
  const structs = (value: MatValue | undefined, what: string) => {
    // What has no elements is stored as an empty matrix.
    if (value?.kind === 'numbers' && value.data.length === 0) return [];
    return value?.kind === 'structs' ? value.items : fail(`it has no ${what}`);
  };
  const mask = (value: MatValue | undefined) =>
    value?.kind === 'numbers' && value.shape.length === 2 ? value : fail('a mask is not a matrix');
  const top = structs(anno, 'struct "anno"')[0] ?? fail('"anno" is empty');
  return {
    objects: structs(top.objects, 'objects').map((object) => {
      const index = object.class_ind?.kind === 'numbers' ? Number(object.class_ind.data[0]) : NaN;
      if (!Number.isInteger(index)) fail('an object has no class_ind');
      const pieces = structs(object.parts, 'parts').map((part) => ({
        name: part.part_name?.kind === 'text' ? part.part_name.text : fail('a part has no name'),
        mask: mask(part.mask),
      }));
      return { index, mask: mask(object.mask), pieces };
    }),
  };
}

/** Whether there is a person at all: what the benchmark's lists of part images say. */
export const showsPerson = ({ objects }: Annotation): boolean =>
  objects.some(({ index, mask }) => index === PERSON && mask.data.some(Boolean));

/**
 * Pieces of all persons painted over each other in the order of the file, classes 0 (background, and persons
 * without pieces) to 6; all 0, at any size, if there is nobody.
 */
export async function readHumanParts(file: string, { height, width }: MapData): Promise<MapData> {
  const annotation = await readAnnotation(file);
  const nobody = { height, width, channels: 1, data: new Uint8Array(height * width) };
  const people = annotation.objects.filter(({ index, pieces }) => index === PERSON && pieces.length > 0);
  if (people.length === 0 || !showsPerson(annotation)) return nobody;
  const [rows, columns] = people[0].mask.shape;
  const columnMajor = new Uint8Array(rows * columns);
  for (const { name, mask } of people.flatMap(({ pieces }) => pieces)) {
    const part = PART_OF_PIECE[name];
    if (part === undefined)
      throw new MtcpError('data', `names a piece of a person "${name}", which PASCAL-Part does not have`, {
        where: file,
        hint: didYouMean(name, Object.keys(PART_OF_PIECE)),
      });
    if (mask.data.length !== columnMajor.length)
      throw new MtcpError('data', `has a mask of "${name}" of another size than its object`, { where: file });
    for (let i = 0; i < columnMajor.length; i++) if (mask.data[i]) columnMajor[i] = part;
  }
  return rowMajor({ kind: 'numbers', shape: [rows, columns], data: columnMajor });
}

/** What an annotation is written from; masks are row-major bytes. */
export interface ObjectMasks {
  name: string;
  index: number;
  mask: Uint8Array;
  pieces: readonly { name: string; mask: Uint8Array }[];
}

export function encodeAnnotation(
  imname: string,
  height: number,
  width: number,
  objects: readonly ObjectMasks[],
): Uint8Array {
  const map = (data: Uint8Array): MatInput => ({ kind: 'map', height, width, data });
  const piecesOf = ({ pieces }: ObjectMasks) =>
    pieces.map(({ name, mask }) => ({ part_name: matText(name), mask: map(mask) }));
  const items = objects.map((object) => ({
    class: matText(object.name),
    class_ind: matNumber(object.index),
    mask: map(object.mask),
    parts: matStructs(['part_name', 'mask'], piecesOf(object)),
  }));
  const list = matStructs(['class', 'class_ind', 'mask', 'parts'], items);
  return encodeMat({
    anno: matStructs(['imname', 'objects'], [{ imname: matText(imname), objects: list }]),
  });
}
