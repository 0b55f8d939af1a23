// From decoded predictions to what the metrics compare, in both protocols; and a run on padded images.
import '../../../modules/index.js';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import sharp from 'sharp';
import { cropCentre, padCentre } from '../../../modules/support/warp.js';
import type { LabelMap, MapData } from '../../../registry/contracts/data.js';
import { runExperiment } from '../../../runners/app/run.js';
import { toLabel } from '../../../runners/training/evaluation.js';
import { readTensors } from '../../reference/fixtures.js';
import { ROOT, temporaryFolder } from '../../support/rooms.js';
import { writeFileSync } from 'node:fs';

const map = (height: number, width: number, channels: number, data: ArrayLike<number>): MapData => ({
  height,
  width,
  channels,
  data: Float32Array.from(data),
});
const labelLike = (kind: string, height: number, width: number): LabelMap => ({
  kind,
  ...map(
    height,
    width,
    kind === 'normals' ? 3 : 1,
    new Array(height * width * (kind === 'normals' ? 3 : 1)).fill(0),
  ),
});
const task = (kind: string) => ({ name: 't', kind, channels: 1 });
const sv = { mode: 'sv', quantize: true } as const;

describe('evaluation', () => {
  it('sends normals through bytes as the public code does', () => {
    const tensors = readTensors('metrics.safetensors');
    const { shape, data } = tensors.get('normals/prediction')!;
    const [, height, width] = shape;
    const size = height * width * 3;
    const unit = new Float32Array(size);
    for (let i = 0; i < size; i += 3) {
      const length = Math.hypot(data[i], data[i + 1], data[i + 2]);
      for (let k = 0; k < 3; k++) unit[i + k] = data[i + k] / length;
    }
    const out = toLabel(
      map(height, width, 3, unit),
      labelLike('normals', height, width),
      task('normals'),
      sv,
      'x',
    );
    const expected = tensors.get('normals/quantised')!.data.subarray(0, size);
    // A value on the edge of a byte may fall to either side.
    const off = Array.from(expected, (v, i) => Math.abs(v - out.data[i])).filter(
      (difference) => difference > 1e-5,
    );
    expect(off.length).to.be.at.most(2);
    expect(Math.max(0, ...off)).to.be.below(2.01 / 255);
    const plain = toLabel(
      map(height, width, 3, unit),
      labelLike('normals', height, width),
      task('normals'),
      { ...sv, quantize: false },
      'x',
    );
    expect([...plain.data]).to.deep.equal([...unit]);
  });

  it('cuts probabilities to whole 255ths, after resizing', () => {
    const out = toLabel(map(1, 2, 1, [0, 1]), labelLike('binary', 1, 4), task('binary'), sv, 'x');
    // Half-pixel centres: 0, 1/4, 3/4, 1.
    expect([...out.data].map((v) => Math.round(v * 255))).to.deep.equal([0, 63, 191, 255]);
    const exact = toLabel(
      map(1, 2, 1, [0, 1]),
      labelLike('binary', 1, 4),
      task('binary'),
      { ...sv, quantize: false },
      'x',
    );
    expect([...exact.data]).to.deep.equal([0, 0.25, 0.75, 1]);
  });

  it('rounds into memory that it is given, for maps of any size', () => {
    const space = new Float32Array(4);
    const rounded = (data: number[]) =>
      toLabel(
        map(1, data.length, 1, data),
        labelLike('binary', 1, data.length),
        task('binary'),
        sv,
        'x',
        space,
      );
    for (const data of [
      [0, 1],
      [1, 0, 0.2, 1],
      [0, 0, 1, 1, 0],
    ])
      expect([...rounded(data).data].map((v) => Math.round(v * 255))).to.deep.equal(
        data.map((v) => Math.floor(v * 255)),
      );
    expect(rounded([0.5]).data.buffer).to.equal(space.buffer);
  });

  it('resizes classes by nearest neighbour and metres smoothly', () => {
    const classes = toLabel(map(1, 2, 1, [3, 7]), labelLike('classes', 2, 4), task('classes'), sv, 'x');
    expect([...classes.data]).to.deep.equal([3, 3, 7, 7, 3, 3, 7, 7]);
    const metres = toLabel(map(1, 2, 1, [1, 3]), labelLike('depth', 1, 4), task('depth'), sv, 'x');
    expect([...metres.data]).to.deep.equal([1, 1.5, 2.5, 3]);
  });

  it('does not resize in mode atrc', () => {
    const atrc = { mode: 'atrc', quantize: true } as const;
    const prediction = map(1, 2, 1, [0.123, 0.9]);
    expect(toLabel(prediction, labelLike('binary', 1, 2), task('binary'), atrc, 'x')).to.equal(prediction);
    expect(() => toLabel(prediction, labelLike('binary', 1, 4), task('binary'), atrc, 'x')).to.throw(
      'without resizing',
    );
  });

  it('cuts off exactly what was padded', () => {
    for (const [height, width] of [
      [5, 8],
      [6, 9],
    ]) {
      const given = map(
        height,
        width,
        2,
        Array.from({ length: height * width * 2 }, (_, i) => i),
      );
      const padded = padCentre(given, 9, 12, 255);
      expect(padded.data.filter((value) => value === 255).length).to.be.at.least(
        2 * (9 * 12 - height * width),
      );
      expect(cropCentre(padded, height, width)).to.deep.equal(given);
    }
  });

  it('is rehearsed before the first step: what cannot be scored is not trained', async function () {
    this.timeout(120_000);
    const row = (augment: string) => `
    augment: ${augment}
    tasks: { semseg: null, human_parts: null }
    model: { interaction: null, refinement: null }
    scheme: { type: equal }
    evaluate: { mode: atrc }`;
    const file = join(temporaryFolder(), 'rehearsed.yaml');
    writeFileSync(
      file,
      `name: rehearsed
extends: ${join(ROOT, 'experiments/base/mtcp-pascal.yaml')}
rows:
  too large:${row('{ type: atrc, size: [24, 24] }')}
  stretched:${row('{ type: sv, size: [64, 64] }')}
`,
    );
    const runs = temporaryFolder();
    const { failed } = await runExperiment(file, { profile: 'smoke', runs });
    expect(failed.map(({ row }) => row)).to.have.members(['too large', 'stretched']);
    for (const name of readdirSync(join(runs, 'rehearsed')).filter((each) => /^(too|str)/.test(each))) {
      const events = readFileSync(join(runs, 'rehearsed', name, 'events.jsonl'), 'utf8');
      expect(events).to.match(/does not fit into augment\.size 24x24|mode atrc compares without resizing/);
      expect(events).not.to.contain('"event":"epoch"');
    }
  });

  it('scores two-logit saliency on padded images', async function () {
    this.timeout(60_000);
    const file = join(temporaryFolder(), 'padded.yaml');
    writeFileSync(
      file,
      `name: padded
extends: ${join(ROOT, 'experiments/base/mtcp-pascal.yaml')}
rows:
  a:
    augment: { type: atrc, size: [40, 48] }
    tasks: { semseg: null, human_parts: null, saliency: { loss: { type: balanced_cross_entropy } } }
    model: { interaction: null, refinement: null }
    scheme: { type: equal }
    evaluate: { mode: atrc }
`,
    );
    const runs = temporaryFolder();
    const { failed } = await runExperiment(file, { profile: 'smoke', runs });
    expect(failed).to.deep.equal([]);
    const folder = join(
      runs,
      'padded',
      readdirSync(join(runs, 'padded')).find((name) => name.startsWith('a-'))!,
    );
    const { metrics } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    // The same from the pictures of both validation images, in which a probability is a grey of 256.
    const maps = await Promise.all(
      ['1', '2'].map((i) =>
        Promise.all(
          ['label', 'prediction'].map((kind) =>
            sharp(join(folder, 'predictions', `${i}.saliency.${kind}.png`))
              .extractChannel(0)
              .raw()
              .toBuffer({ resolveWithObject: true }),
          ),
        ),
      ),
    );
    let best = 0;
    for (let t = 1; t <= 19; t++) {
      let [both, predicted, labelled] = [0, 0, 0];
      for (const [label, prediction] of maps) {
        // Nothing of the padding to 40x48 is scored.
        expect([label.info.height, label.info.width]).to.deep.equal([
          prediction.info.height,
          prediction.info.width,
        ]);
        expect(label.info.height * label.info.width).to.be.below(40 * 48);
        label.data.forEach((value, i) => {
          const salient = value === 255;
          const found = prediction.data[i] >= 255 * 0.05 * t;
          if (value !== 0 && !salient) return;
          both += Number(salient && found);
          predicted += Number(found);
          labelled += Number(salient);
        });
      }
      const [precision, recall] = [both / predicted, both / labelled];
      if (both > 0) best = Math.max(best, (1.3 * precision * recall) / (0.3 * precision + recall));
    }
    expect(best).to.be.above(0);
    expect(metrics['saliency.maxF_atrc']).to.be.closeTo(100 * best, 0.5);
    expect(metrics['saliency.maxF']).to.equal(metrics['saliency.maxF_sv']);
    expect(metrics['saliency.mIoU']).to.be.above(0).and.below(100);
  });
});
