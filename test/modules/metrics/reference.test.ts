// Metrics against NumPy on small maps with unknown pixels, and by hand.
import '../../../modules/index.js';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import type { LabelMap, MapData } from '../../../registry/contracts/data.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { readJson, readTensors } from '../../reference/fixtures.js';

const tensors = readTensors('metrics.safetensors');
const expected = readJson('metrics.json') as {
  classes: number;
  semseg: { iou: number[]; mIoU: number; pixelAccuracy: number; meanAccuracy: number };
  depth: { rmse: number; rmseTruncated: number; logRmse: number; absRel: number };
  normals: Record<string, number>;
  normalsQuantised: Record<string, number>;
};

function images(name: string, kind: string): LabelMap[] {
  const { shape, data } = tensors.get(name)!;
  const [count, height, width, channels] = shape;
  const size = height * width * channels;
  return Array.from({ length: count }, (_, i) => ({
    kind,
    height,
    width,
    channels,
    data: data.slice(i * size, (i + 1) * size),
  }));
}

function measure(
  type: string,
  task: Task,
  predictions: MapData[],
  labels: LabelMap[],
  options = {},
): Record<string, number> {
  const run = createTrialContainer([task])
    .create('metric', { type, ...options })
    .start(task);
  labels.forEach((label, i) => run.update(predictions[i], label));
  return run.compute() as Record<string, number>;
}

const semseg: Task = { name: 'semseg', kind: 'classes', channels: expected.classes };
const depth: Task = { name: 'depth', kind: 'depth', channels: 1 };
const normals: Task = { name: 'normals', kind: 'normals', channels: 3 };

describe('metrics', () => {
  it('mIoU over all classes, absent ones counting as 0', () => {
    const result: Record<string, number> = measure(
      'miou',
      semseg,
      images('semseg/prediction', 'classes'),
      images('semseg/label', 'classes'),
    );
    expect(result.mIoU).to.be.closeTo(100 * expected.semseg.mIoU, 1e-9);
    expect(result.meanAccuracy).to.be.closeTo(100 * expected.semseg.meanAccuracy, 1e-9);
    expect(result.pixelAccuracy).to.be.closeTo(100 * expected.semseg.pixelAccuracy, 1e-9);
    expected.semseg.iou.forEach((iou, c) => {
      const own = result[`IoU.${c}`] as unknown;
      // A class that is neither labelled nor predicted counts as 0 in the mean and has no IoU of its own.
      if (typeof own === 'object') expect(own).to.have.property('absent');
      expect(typeof own === 'object' ? 0 : own).to.be.closeTo(100 * iou, 1e-9);
    });
  });

  it('mIoU may leave out images without a labelled object', () => {
    const map = (data: number[]): LabelMap => ({
      kind: 'classes',
      height: 1,
      width: 4,
      channels: 1,
      data: Uint8Array.from(data),
    });
    const labels = [map([0, 0, 0, 0]), map([0, 1, 1, 255])];
    const predictions = [map([1, 1, 1, 1]), map([0, 1, 1, 1])];
    const two = { ...semseg, channels: 2 };
    expect(measure('miou', two, predictions, labels, { skip_empty: true }).mIoU).to.equal(100);
    // Without skipping: background 1 of 5, object 2 of 6.
    expect(measure('miou', two, predictions, labels).mIoU).to.be.closeTo((20 + 100 / 3) / 2, 1e-9);
    // An image that mixes background and unknown is not empty, one that is unknown has nothing to count.
    const mixed = [map([0, 0, 255, 0]), map([255, 255, 255, 255])];
    const wrong = [map([1, 1, 1, 1]), map([1, 1, 1, 1])];
    const all = [...labels, ...mixed];
    expect(measure('miou', two, [...predictions, ...wrong], all, { skip_empty: true }).mIoU).to.be.closeTo(
      (25 + 40) / 2,
      1e-9,
    );
  });

  it('depth errors, full and truncated range', () => {
    const maps = [images('depth/prediction', 'depth'), images('depth/label', 'depth')] as const;
    const full = measure('rmse', depth, ...maps);
    expect(full.RMSE).to.be.closeTo(expected.depth.rmse, 1e-6);
    expect(full['RMSE_lt6.5535']).to.be.closeTo(expected.depth.rmseTruncated, 1e-6);
    expect(full.logRMSE).to.be.closeTo(expected.depth.logRmse, 1e-5);
    expect(full.absRel).to.be.closeTo(expected.depth.absRel, 1e-6);
    expect(measure('rmse', depth, ...maps, { range: 'truncated' }).RMSE).to.equal(full['RMSE_lt6.5535']);
  });

  for (const angle of ['acos', 'atan2'])
    it(`angular errors by ${angle}`, () => {
      const result = measure(
        'angular_error',
        normals,
        images('normals/prediction', 'normals'),
        images('normals/label', 'normals'),
        { angle },
      );
      for (const key of ['mErr', 'rmse', 'within_11.25', 'within_22.5', 'within_30'])
        expect(result[key], key).to.be.closeTo(expected.normals[key], 2e-4);
      // The histogram's bins are 0.01 degrees wide.
      expect(result.median).to.be.closeTo(expected.normals.median, 0.011);
    });

  it('angles of known vectors', () => {
    const map = (data: number[]): LabelMap => ({
      kind: 'normals',
      height: 1,
      width: 3,
      channels: 3,
      data: Float32Array.from(data),
    });
    const label = map([0, 0, -1, 1, 0, 0, 255, 255, 255]);
    const prediction = map([0, 0, -2, 0, 1, 0, 1, 0, 0]);
    const result = measure('angular_error', normals, [prediction], [label], { angle: 'atan2' });
    expect(result.mErr).to.be.closeTo(45, 1e-6);
    expect(result['within_30']).to.equal(50);
  });
});
