// A trained trial outside of training: on image files, and as an ONNX file in other programs. What it predicts there
// is what its own evaluation predicted.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { decode } from 'fast-png';
import type * as Ort from 'onnxruntime-node';
import sharp from 'sharp';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import type { MapData } from '../../../registry/contracts/data.js';
import { exportOnnx, ONE_SIZE } from '../../../runners/inference/export.js';
import { predict } from '../../../runners/inference/predict.js';
import { trialIn, weightsIn } from '../../../runners/store/weights/trial-folder.js';
import { Predictor } from '../../../runners/inference/predictor.js';
import { exportWeights } from '../../../runners/app/weights/export.js';
import { runExperiment } from '../../../runners/app/run.js';
import type { RunEvent } from '../../../runners/app/run-options.js';
import type { PredictionIndex } from '../../../runners/training/pictures.js';
import { sharedServer } from '../../support/mlflow/server.js';
import { expectClose } from '../../support/oracle.js';
import { rejection } from '../../support/reference.js';
import { experimentFile, temporaryFolder, ROOT } from '../../support/rooms.js';

describe('a trained trial', function () {
  this.timeout(60_000);
  let folder: string;
  let rooms: string;

  before(async () => {
    const file = experimentFile('rows: { plain: { model: { interaction: null, refinement: null } } }\n');
    const events: RunEvent[] = [];
    const { failed, report } = await runExperiment(file, {
      profile: 'smoke',
      runs: temporaryFolder(),
      observe: (event) => events.push(event),
    });
    expect(failed).to.deep.equal([]);
    folder = report.json.rows[0].folder;
    rooms = events.find((event) => event.event === 'data')!.root;
  });

  const colours = async (path: string) => (await sharp(path).removeAlpha().raw().toBuffer()).toString('hex');
  const index = () =>
    JSON.parse(readFileSync(join(folder, 'predictions/index.json'), 'utf8')) as PredictionIndex;

  it('predicts for an image file what it predicted in its evaluation', async () => {
    const [{ id, tasks }] = index().images;
    const image = readdirSync(join(rooms, 'images')).find((name) => name.startsWith(id))!;
    const { images } = await predict({
      folder,
      images: [join(rooms, 'images', image)],
      out: temporaryFolder(),
    });
    for (const task of ['semseg', 'normals'])
      expect(await colours(images[0].tasks[task].map), task).to.equal(
        await colours(join(folder, 'predictions', tasks[task].prediction)),
      );
  });

  it('predicts a large image in windows, each as an image by itself', async () => {
    const height = 32;
    const image = (columns: number) => ({
      height,
      width: columns,
      channels: 3,
      data: Float32Array.from({ length: height * columns * 3 }, (_, i) => {
        const [y, x] = [Math.floor(i / (3 * columns)), Math.floor(i / 3) % columns];
        return 127 + 120 * Math.sin((1 + (i % 3)) * (x / 5 + y / 9));
      }),
    });
    const predictor = await Predictor.open(folder, { window: true });
    const [wide, left] = [await predictor.predict(image(64)), await predictor.predict(image(32))];
    predictor.close();
    for (const [task, channels] of [
      ['depth', 1],
      ['normals', 3],
      ['semseg', 1],
    ] as const) {
      expect([wide[task].height, wide[task].width]).to.deep.equal([32, 64]);
      // The first 16 columns are seen by the first window alone.
      const part = (map: MapData) =>
        Array.from({ length: height }, (_, y) =>
          Array.from(map.data.slice(y * map.width * channels, (y * map.width + 16) * channels)),
        ).flat();
      expectClose(part(wide[task]), part(left[task]), 1e-5, task);
    }
  });

  it('predicts the same for a row of a file with the weights of another', async () => {
    const image = join(rooms, 'images', readdirSync(join(rooms, 'images'))[0]);
    const own = await predict({ folder, images: [image], out: temporaryFolder() });
    const weights = join(weightsIn(folder), 'weights.safetensors');
    const network = { trial: trialIn(folder), weights };
    const other = await predict({ network, images: [image], out: temporaryFolder() });
    expect(other.trial.checkpoint).to.equal(weights);
    for (const [task, { map }] of Object.entries(other.images[0].tasks))
      expect(await colours(map), task).to.equal(await colours(own.images[0].tasks[task].map));
    const foreign = join(ROOT, 'experiments/base/pretrained/rooms/mask2former/model.safetensors');
    const error = await rejection(
      predict({ network: { ...network, weights: foreign }, images: [image], out: temporaryFolder() }),
    );
    expect(error.hint).to.contain('mtcp weights import');
  });

  it('writes each image into files of its own, whatever they are called, and none over an image', async () => {
    const [source, out] = [temporaryFolder(), temporaryFolder()];
    const names = ['img-2.jpg', 'img.jpg', 'img.png', 'IMG.webp', 'img-2.png'];
    for (const name of names)
      await sharp({ create: { width: 64, height: 64, channels: 3, background: '#a52' } }).toFile(
        join(source, name),
      );
    const { images, failed } = await predict({
      folder,
      images: names.map((name) => join(source, name)),
      out,
    });
    expect(failed).to.deep.equal([]);
    const maps = images.map(({ tasks }) => tasks.depth.map.toLowerCase());
    expect(new Set(maps).size).to.equal(names.length);
    for (const { tasks } of images) expect(existsSync(tasks.depth.map)).to.equal(true);
    // The first of a name keeps it.
    expect(maps.slice(0, 2).map((path) => path.split('/').at(-1))).to.deep.equal([
      'img-2.depth.png',
      'img.depth.png',
    ]);
    const over = await rejection(
      predict({ folder, images: [join(source, 'img.png'), join(out, 'img.depth.png')], out }),
    );
    expect(over.format()).to.contain('a prediction would be written over it').and.contain('--out');
  });

  it('is not used with weights or a configuration that a disk changed', async () => {
    const copy = join(temporaryFolder(), 'trial');
    const fresh = () => {
      rmSync(copy, { recursive: true, force: true });
      cpSync(folder, copy, { recursive: true });
    };
    const [checkpoint] = readdirSync(join(folder, 'checkpoints'));
    const file = (name: string) => join(copy, 'checkpoints', checkpoint, name);
    const flip = (path: string, at: (size: number) => number) => {
      const bytes = readFileSync(path);
      bytes[at(bytes.length)] ^= 1;
      writeFileSync(path, bytes);
    };
    const uses: Record<string, () => unknown> = {
      predict: () => Predictor.open(copy),
      export: () => exportOnnx({ folder: copy, out: join(copy, 'x.onnx') }),
      'weights export': () =>
        exportWeights({ folder: copy, out: join(copy, 'x.safetensors'), part: 'model' }),
    };
    for (const [name, use] of Object.entries(uses)) {
      fresh();
      flip(file('weights.safetensors'), (size) => size - 3);
      const weights = await rejection((async () => use())());
      expect(weights.format(), name).to.contain('another checksum').and.contain('weights.safetensors');
      fresh();
      flip(file('state.json'), (size) => Math.floor(size / 2));
      expect((await rejection((async () => use())())).message, name).to.contain('cannot be trusted');
      fresh();
      const resolved = join(copy, 'resolved.yaml');
      writeFileSync(resolved, readFileSync(resolved, 'utf8').replace(/rate: 0\.?\d*/, 'rate: 0.5'));
      expect((await rejection((async () => use())())).format(), name).to.contain(
        `${resolved}: is not what was written`,
      );
    }
    expect(existsSync(join(copy, 'x.onnx'))).to.equal(false);
  });

  it('takes images of any size and kind, and goes on after one that it cannot read', async () => {
    const out = temporaryFolder();
    const noise = Uint8Array.from({ length: 90 * 50 * 3 }, (_, i) => (i * 7919) % 256);
    const picture = () => sharp(noise, { raw: { width: 90, height: 50, channels: 3 } });
    const paths = ['wide.png', 'grey.webp', 'clear.png', 'junk.jpg', 'turned.jpg'].map((name) =>
      join(out, name),
    );
    await picture().png().toFile(paths[0]);
    await picture().greyscale().webp().toFile(paths[1]);
    await picture().ensureAlpha(0.5).png().toFile(paths[2]);
    writeFileSync(paths[3], 'not an image');
    await picture().withMetadata({ orientation: 6 }).jpeg().toFile(paths[4]);

    const result = await predict({
      folder,
      images: [...paths, paths[0]],
      out: join(out, 'maps'),
      raw: 'npy',
    });
    expect(result.failed.map(({ image }) => image)).to.deep.equal([paths[3]]);
    expect(result.failed[0].message).to.contain('junk.jpg: cannot be read as an image');
    expect(result.images.map(({ width, height }) => `${width}x${height}`)).to.deep.equal([
      '90x50',
      '90x50',
      '90x50',
      '50x90',
      '90x50',
    ]);
    const { raw, values } = result.images[3].tasks.normals;
    expect(values).to.contain('unit vector');
    const normals = await readNpy(raw!);
    expect(normals.shape).to.deep.equal([90, 50, 3]);
    for (let i = 0; i < normals.data.length; i += 3)
      expect(Math.hypot(...normals.data.subarray(i, i + 3))).to.be.closeTo(1, 1e-5);
    // The second image of the same name has files of its own.
    expect(result.images[4].tasks.depth.map).to.match(/wide-2\.depth\.png$/);
    for (const { tasks } of result.images)
      for (const { map } of Object.values(tasks)) expect(existsSync(map)).to.equal(true);
    const sheet = await sharp(result.sheet).metadata();
    expect(sheet.width).to.be.above(4 * 190);
  });

  it('writes values as 16-bit pictures that agree with the float ones', async () => {
    const image = join(rooms, 'images', readdirSync(join(rooms, 'images'))[0]);
    const [float, whole] = await Promise.all(
      (['npy', 'png16'] as const).map((raw) =>
        predict({ folder, images: [image], out: temporaryFolder(), raw }),
      ),
    );
    for (const [task, scale] of [
      ['semseg', 1],
      ['depth', 1000],
    ] as const) {
      const expected = await readNpy(float.images[0].tasks[task].raw!);
      const { data, channels } = decode(readFileSync(whole.images[0].tasks[task].raw!));
      const clipped = Array.from(expected.data, (value) => Math.max(0, Math.round(value * scale)));
      expect(Array.from({ length: clipped.length }, (_, i) => data[i * channels])).to.deep.equal(clipped);
    }
  });

  it('runs at the size of the image if that is asked for', async () => {
    const predictor = await Predictor.open(folder, { size: 'native' });
    const image: MapData = { height: 50, width: 70, channels: 3, data: new Uint8Array(50 * 70 * 3).fill(90) };
    const { depth } = await predictor.predict(image);
    expect([depth.height, depth.width]).to.deep.equal([50, 70]);
    predictor.close();
  });

  it('says what is missing', async () => {
    const nothing = await rejection(Predictor.open(temporaryFolder()));
    expect(nothing.message).to.contain('is not the folder of a trial');
    const wrong = await rejection(Predictor.open(folder, { checkpoint: 'step-00000003' }));
    expect(wrong.message).to.contain('no checkpoint "step-00000003"');
    expect(wrong.hint).to.contain('step-00000002');
  });

  describe('as an ONNX file', () => {
    const [SIZE, COUNT] = [32, 3];
    const images = Float32Array.from({ length: COUNT * SIZE * SIZE * 3 }, (_, i) => (i * 7919) % 256);
    let out: string;
    const expected: Record<string, number[]> = { semseg: [], depth: [], normals: [] };

    before(async () => {
      out = join(temporaryFolder(), 'model.onnx');
      await exportOnnx({ folder, out });
      const predictor = await Predictor.open(folder);
      for (let i = 0; i < COUNT; i++) {
        const data = images.subarray(i * SIZE * SIZE * 3, (i + 1) * SIZE * SIZE * 3);
        const maps = await predictor.predict({ height: SIZE, width: SIZE, channels: 3, data });
        for (const [task, map] of Object.entries(maps)) expected[task].push(...map.data);
      }
      predictor.close();
    });

    it('gives the same numbers in onnxruntime, for any number of images', async () => {
      const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;
      const session = await ort.InferenceSession.create(out);
      expect(session.inputNames).to.deep.equal(['image']);
      const results = await session.run({ image: new ort.Tensor('float32', images, [COUNT, SIZE, SIZE, 3]) });
      expect(results.semseg.dims).to.deep.equal([COUNT, SIZE, SIZE]);
      expect(results.normals.dims).to.deep.equal([COUNT, SIZE, SIZE, 3]);
      expect(Array.from(results.semseg.data as Int32Array)).to.deep.equal(expected.semseg);
      for (const task of ['depth', 'normals'])
        expectClose(results[task].data as Float32Array, expected[task], 1e-5, task);
      await session.release();
    });

    it('gives the same numbers in Python, and says what it is', async function () {
      // The Python of the MLflow tests has onnxruntime.
      const { python } = await sharedServer(this);
      const script = `
import json, sys, numpy, onnxruntime
image = numpy.array(json.load(sys.stdin), 'float32').reshape(${COUNT}, ${SIZE}, ${SIZE}, 3)
session = onnxruntime.InferenceSession(${JSON.stringify(out)}, providers=['CPUExecutionProvider'])
names = [output.name for output in session.get_outputs()]
results = {name: value.ravel().tolist() for name, value in zip(names, session.run(None, {'image': image}))}
try:
    session.run(None, {'image': image[:, :, 1:]})
except Exception as problem:
    results['narrower'] = str(problem)
print(json.dumps({**results, 'metadata': session.get_modelmeta().custom_metadata_map}))`;
      const stdout = execFileSync(python, ['-c', script], {
        input: JSON.stringify([...images]),
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
      const { metadata, narrower, ...results } = JSON.parse(stdout) as Record<string, number[]> & {
        metadata: Record<string, string>;
        narrower: string;
      };
      expect(results.semseg).to.deep.equal(expected.semseg);
      for (const task of ['depth', 'normals']) expectClose(results[task], expected[task], 1e-5, task);
      expect(metadata).to.include({ size: '32x32', batch: 'any', 'size.fixed': ONE_SIZE });
      expect(narrower).to.match(/invalid dimensions[^]*32/i);
    });
  });
});
