// images.json in the folder of a trial: the metrics of every validation image by itself.
import { join } from 'node:path';
import type { MetricInfo } from '../../registry/contracts/learning.js';
import { JsonFormat } from '../../registry/support/json-file.js';
import { writeWhole } from '../support/files.js';

export interface ImageValue {
  task: string;
  /** Of the task's metric. */
  name: string;
  unit: string;
  better: MetricInfo['better'];
  /** Whether images are ranked by it. */
  primary: boolean;
}

export interface ImageScores {
  /** Epoch whose weights predicted. */
  epoch: number;
  values: ImageValue[];
  /** In the order of the split; a value is null where nothing of the image could be scored. */
  images: { id: string; values: (number | null)[] }[];
}

const TEXT = { type: 'string' };

const SCORES = new JsonFormat<ImageScores>('metrics of images', {
  type: 'object',
  required: ['epoch', 'values', 'images'],
  properties: {
    epoch: { type: 'integer', minimum: 0 },
    values: {
      type: 'array',
      items: {
        type: 'object',
        required: ['task', 'name', 'unit', 'better', 'primary'],
        properties: {
          task: TEXT,
          name: TEXT,
          unit: TEXT,
          better: { enum: ['higher', 'lower'] },
          primary: { type: 'boolean' },
        },
      },
    },
    images: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'values'],
        properties: { id: TEXT, values: { type: 'array', items: { type: ['number', 'null'] } } },
      },
    },
  },
});

export const imageScoresIn = (folder: string): string => join(folder, 'images.json');

/**
 * What a trial left; undefined if it left none.
 * @throws MtcpError `io` if the file is damaged
 */
export const readImageScores = (folder: string): ImageScores | undefined =>
  SCORES.find(imageScoresIn(folder));

export function writeImageScores(folder: string, { images, ...rest }: ImageScores): void {
  const head = JSON.stringify(rest).slice(0, -1);
  const lines = images.map((image) => JSON.stringify(image)).join(',\n ');
  writeWhole(imageScoresIn(folder), `${head},"images":[\n ${lines}\n]}\n`);
}
