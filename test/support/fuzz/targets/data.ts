// Images, labels and arrays of data sets.
import { join } from 'node:path';
import h5wasm from 'h5wasm/node';
import sharp from 'sharp';
import { parseJpeg } from '../../../../modules/datasets/formats/jpeg.js';
import { Hdf5File } from '../../../../modules/datasets/formats/hdf5.js';
import { encodeMat, matStructs, matText, readMat } from '../../../../modules/datasets/formats/mat.js';
import { encodeNpy, readNpy } from '../../../../modules/datasets/formats/npy.js';
import {
  encodeLabelPng,
  encodeRgbPng,
  readLabelPng,
  readRgbPng,
} from '../../../../modules/datasets/formats/png.js';
import { readBytes } from '../../../../modules/datasets/formats/file.js';
import { put, type Targets } from '../target.js';

const classes = Uint8Array.from({ length: 12 * 16 }, (_, i) => i % 7);

export const DATA: Targets = {
  'a label map': {
    make: (folder) => put(join(folder, 'x.png'), encodeLabelPng(classes, 12, 16)),
    read: readLabelPng,
  },
  'a palette of few bits': {
    make: async (folder) => {
      const raw = { width: 16, height: 12, channels: 1 } as const;
      return put(
        join(folder, 'x.png'),
        await sharp(classes, { raw }).png({ palette: true, colours: 8 }).toBuffer(),
      );
    },
    read: readLabelPng,
  },
  'normals in bytes': {
    make: (folder) =>
      put(
        join(folder, 'x.png'),
        encodeRgbPng(
          Uint8Array.from({ length: 576 }, (_, i) => i),
          12,
          16,
        ),
      ),
    read: readRgbPng,
  },
  'a photograph': {
    make: async (folder) =>
      put(
        join(folder, 'x.jpg'),
        await sharp({ create: { width: 16, height: 12, channels: 3, background: '#a52' } })
          .jpeg()
          .toBuffer(),
      ),
    read: async (path) => parseJpeg(await readBytes(path), path),
  },
  'an array': {
    make: (folder) => put(join(folder, 'x.npy'), encodeNpy(Float32Array.from(classes), [12, 16])),
    read: readNpy,
  },
  'a MAT file of version 7.3': {
    async make(folder) {
      await h5wasm.ready;
      const path = join(folder, 'x.mat');
      const file = new h5wasm.File(path, 'w');
      const packed = { chunks: [1, 16, 12], compression: 4 };
      file.create_dataset({ name: 'labels', data: Uint16Array.from(classes), shape: [1, 16, 12] });
      file.create_dataset({
        name: 'depths',
        data: Float32Array.from(classes),
        shape: [1, 16, 12],
        ...packed,
      });
      file.close();
      return path;
    },
    async read(path) {
      const file = await Hdf5File.open(path);
      try {
        const labels = file.slice('labels', 0, [Uint16Array]);
        return [
          file.shapeOf('labels'),
          Array.from(labels),
          Array.from(file.slice('depths', 0, [Float32Array])),
        ];
      } finally {
        file.close();
      }
    },
  },
  'a MAT file': {
    make(folder) {
      const map = { kind: 'map', height: 12, width: 16, data: classes } as const;
      const objects = matStructs(['class', 'mask'], [{ class: matText('person'), mask: map }]);
      return put(join(folder, 'x.mat'), encodeMat({ LabelMap: map, anno: objects }));
    },
    read: (path) => readMat(path),
  },
};
