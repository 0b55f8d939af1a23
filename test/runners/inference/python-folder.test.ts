// A trained trial as a folder of Python: predict.py, run by a real Python, says what `mtcp predict` says, for pictures of
// other sizes than the network's.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import sharp from 'sharp';
import { readNpy } from '../../../modules/datasets/formats/npy.js';
import { catalog } from '../../../registry/catalog.js';
import { runExperiment } from '../../../runners/app/run.js';
import { cardOf, type ModelCard } from '../../../runners/inference/card.js';
import { exportOnnx, onnxModel } from '../../../runners/inference/export.js';
import { exportPython } from '../../../runners/inference/python-folder.js';
import { predict } from '../../../runners/inference/predict.js';
import { readersPython } from '../../support/python/python.js';
import { rejection } from '../../support/reference.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

const run = promisify(execFile);

const ROWS = `rows:
  stretched: { model: { interaction: null, refinement: null } }
  mirrored: { model: { interaction: null, refinement: null }, evaluate: { flip: true } }
  padded: { model: { interaction: null, refinement: null }, augment: { type: atrc, size: [64, 96] } }
`;

/** Rooms that nobody rendered: edges, ramps and noise, so that interpolation has something to do. */
async function pictures(folder: string): Promise<string[]> {
  const make = async (name: string, height: number, width: number) => {
    const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      const ramp = (255 * (i % 3 === 0 ? x / width : y / height)) | 0;
      return (x >> 3) % 2 === (y >> 3) % 2 ? ramp : (i * 7919) % 256;
    });
    const path = join(folder, name);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
    return path;
  };
  const wide = await make('wide.png', 50, 90);
  const tall = await make('tall.png', 61, 45);
  const turned = join(folder, 'turned.png');
  await sharp(tall).ensureAlpha(0.5).withMetadata({ orientation: 6 }).png().toFile(turned);
  return [wide, tall, turned];
}

describe('a trial as a folder of Python', function () {
  this.timeout(120_000);
  const folders: Record<string, string> = {};
  let images: string[];

  before(async () => {
    const { failed, report } = await runExperiment(experimentFile(ROWS), {
      profile: 'smoke',
      runs: temporaryFolder(),
    });
    expect(failed).to.deep.equal([]);
    for (const { row, folder } of report.json.rows) folders[row] = folder;
    images = await pictures(temporaryFolder());
  });

  for (const row of ['stretched', 'mirrored', 'padded'])
    it(`predicts what mtcp predict does: ${row}`, async function () {
      // Pillow comes with TensorBoard.
      const python = await readersPython(this);
      this.timeout(120_000);
      const out = join(temporaryFolder(), 'model');
      // The network of the smoke profile takes smaller pictures.
      const size = row === 'padded' ? ([96, 96] as const) : undefined;
      await exportPython({ folder: folders[row], out, size });
      const own = await predict({ folder: folders[row], images, out: temporaryFolder(), raw: 'npy', size });
      await run(python, [join(out, 'predict.py'), ...images, '--out', join(out, 'maps')]);
      for (const [i, { tasks }] of own.images.entries())
        for (const [task, { map, raw }] of Object.entries(tasks)) {
          const name = `${['wide', 'tall', 'turned'][i]}.${task}`;
          const [expected, got] = [await readNpy(raw!), await readNpy(join(out, 'maps', `${name}.npy`))];
          expect(got.shape, name).to.deep.equal(expected.shape);
          let [worst, unlike] = [0, 0];
          for (let k = 0; k < expected.data.length; k++) {
            const difference = Math.abs(Number(got.data[k]) - Number(expected.data[k]));
            if (task === 'semseg') unlike += difference === 0 ? 0 : 1;
            else worst = Math.max(worst, difference);
          }
          expect(worst, name).to.be.below(1e-3);
          // Two classes may be as likely as each other.
          expect(unlike, name).to.be.at.most(expected.data.length / 1000);
          const pixels = (path: string) => sharp(path).removeAlpha().raw().toBuffer();
          const [a, b] = [await pixels(map), await pixels(join(out, 'maps', `${name}.png`))];
          expect(b.length, name).to.equal(a.length);
          let far = 0;
          // A step of the table of colours, or rounding.
          for (let k = 0; k < a.length; k++) far += Math.abs(a[k] - b[k]) > 2 ? 1 : 0;
          expect(far, `${name}: colours`).to.be.at.most(a.length / 1000);
        }
    });

  it('is whole, says what it is, and leaves other files of its folder alone', async () => {
    const out = join(temporaryFolder(), 'model');
    mkdirSync(out);
    writeFileSync(join(out, 'notes.txt'), 'mine');
    const { files } = await exportPython({ folder: folders.stretched, out });
    expect(readdirSync(out).sort()).to.deep.equal([...files, 'notes.txt'].sort());
    const card = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8')) as ModelCard;
    expect(card.input).to.include({ height: 32, width: 32, fit: 'stretch', overshoot: 'clip' });
    expect(card.tasks.map(({ name, colours }) => [name, colours?.by])).to.deep.equal([
      ['semseg', 'class'],
      ['depth', 'value'],
      ['normals', 'vector'],
    ]);
    expect(card.tasks[1].colours).to.include({ range: 'positive' });
    expect(card.tasks[2].unitLength).to.equal(true);
    const readme = readFileSync(join(out, 'README.md'), 'utf8');
    expect(readme).to.contain('| depth | [H, W] | metres along the optical axis |');
    expect(readme).to.contain(card.tasks[0].classes!.join(', ')).and.contain('fixed because');
    const predictPy = readFileSync(join(out, 'predict.py'), 'utf8').split('\n');
    expect(predictPy.length).to.be.below(50);
  });

  it('refuses what the card cannot say, and writes nothing', async () => {
    const made = await onnxModel({ folder: folders.stretched });
    const { transform } = made;
    const odd = {
      size: transform.size,
      train: transform.train.bind(transform),
      evaluate: (sample: Parameters<typeof transform.evaluate>[0]) => {
        const { image, ...rest } = transform.evaluate(sample);
        return { ...rest, image: { ...image, data: image.data.slice().reverse() } };
      },
    };
    expect(() => cardOf({ ...made, transform: odd })).to.throw(/something else than resizing/);
    const kind = catalog.get('task', 'depth');
    const { settle } = kind.create.prototype as { settle?: unknown };
    try {
      (kind.create.prototype as { settle?: unknown }).settle = (data: Float32Array) => data.map((v) => v / 2);
      expect(() => cardOf(made)).to.throw(/after resizing cannot be said/);
      const out = join(temporaryFolder(), 'model');
      await rejection(exportPython({ folder: folders.stretched, out }));
      expect(existsSync(out)).to.equal(false);
    } finally {
      (kind.create.prototype as { settle?: unknown }).settle = settle;
    }
  });

  it('averages over the views of the evaluation in the file, too', async () => {
    const nodes = async (row: string) =>
      (await exportOnnx({ folder: folders[row], out: join(temporaryFolder(), 'x.onnx') })).nodes;
    expect(await nodes('mirrored')).to.be.above(1.5 * (await nodes('stretched')));
  });
});
