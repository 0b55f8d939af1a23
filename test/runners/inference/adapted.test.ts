// A trial whose backbone is frozen but for low-rank updates: what training leaves alone, and that exported weights with the
// updates in them predict what the trial predicts.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import type * as Ort from 'onnxruntime-node';
import { exportWeights } from '../../../runners/app/weights/export.js';
import { forward } from '../../../runners/app/compare/forward.js';
import { runExperiment } from '../../../runners/app/run.js';
import { exportOnnx } from '../../../runners/inference/export.js';
import { Predictor } from '../../../runners/inference/predictor.js';
import { trialIn, weightsIn } from '../../../runners/store/weights/trial-folder.js';
import { readSafetensors, writeSafetensors } from '../../../runners/support/safetensors.js';
import { namedValues } from '../../reference/fixtures.js';
import { expectClose } from '../../support/oracle.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

const LORA = 'lora: { rank: 2, alpha: 4000, parameters: [backbone.*.query.weight, backbone.*.value.weight] }';
const PLAIN = 'model: { interaction: null, refinement: null }';
const ROWS = `rows:
  adapted: { ${PLAIN}, train: { freeze: [backbone.*], ${LORA} } }
  after: { ${PLAIN}, weights: { rows: { backbone: adapted } }, train: { freeze: [backbone.*] } }
`;

describe('a trial with a frozen backbone and low-rank updates', function () {
  this.timeout(400_000);
  let folders: string[];

  before(async () => {
    const { failed, report } = await runExperiment(experimentFile(ROWS), {
      profile: 'smoke',
      runs: temporaryFolder(),
      observe: () => {},
    });
    expect(failed).to.deep.equal([]);
    folders = report.json.rows.map((row) => row.folder);
  });

  const stored = (folder: string) => readSafetensors(join(weightsIn(folder), 'weights.safetensors')).tensors;

  it('moves the updates and not what they update, and keeps no optimizer state for it', () => {
    const weights = stored(folders[0]);
    const updates = [...weights.keys()].filter((name) => name.endsWith('.lora_b'));
    expect(updates.length).to.be.above(1);
    for (const name of updates)
      expect(
        weights.get(name)!.data.some((value) => value !== 0),
        name,
      ).to.equal(true);
    const slots = readSafetensors(join(weightsIn(folders[0]), 'optimizer.safetensors')).tensors;
    const kept = [...slots.keys()].filter((name) => name.includes('backbone.'));
    expect(kept.filter((name) => !/\.lora_[ab]\b/.test(name))).to.deep.equal([]);
  });

  it('leaves it as exported weights that predict the same without updates', async () => {
    const [folder] = folders;
    const out = temporaryFolder();
    const weights = join(out, 'merged.safetensors');
    exportWeights({ folder, out: weights, part: 'model' });
    const merged = readSafetensors(weights).tensors;
    expect([...merged.keys()].filter((name) => name.includes('lora'))).to.deep.equal([]);

    const trial = trialIn(folder);
    const train = { ...trial.config.train, lora: null };
    const plain = { ...trial, config: { ...trial.config, train } };
    const input = join(out, 'in.safetensors');
    const shape = [1, 3, 64, 64];
    const data = namedValues('image', 3 * 64 * 64, 0, 1.7);
    writeSafetensors(input, new Map([['image', { dtype: 'float32' as const, shape, data }]]), {});
    const outputs = ['prediction.depth', 'prediction.semseg'];
    const run = async (spec: typeof trial, path: string, name: string) => {
      const to = join(out, name);
      await forward(spec, { input, out: to, outputs, weights: path });
      return readSafetensors(to).tensors;
    };
    const own = await run(trial, join(weightsIn(folder), 'weights.safetensors'), 'own.safetensors');
    const exported = await run(plain, weights, 'exported.safetensors');
    for (const name of outputs)
      expectClose(exported.get(name)!.data as Float32Array, [...own.get(name)!.data], 1e-4, name);
    // The updates matter: without them the prediction is another one.
    const bare = join(out, 'bare.safetensors');
    const all = [...stored(folder)].filter(([name]) => !name.includes('lora'));
    writeSafetensors(
      bare,
      new Map(
        all.map(([name, tensor]) => [
          name,
          { ...tensor, dtype: 'float32' as const, data: tensor.data as Float32Array },
        ]),
      ),
      {},
    );
    const without = await run(plain, bare, 'without.safetensors');
    const distance = Math.max(
      ...[...without.get('prediction.depth')!.data].map((value, i) =>
        Math.abs(value - own.get('prediction.depth')!.data[i]),
      ),
    );
    expect(distance).to.be.above(1e-3);
  });

  it('leaves it as an ONNX file that predicts the same', async () => {
    const [folder] = folders;
    const path = join(temporaryFolder(), 'model.onnx');
    await exportOnnx({ folder, out: path });
    const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;
    const session = await ort.InferenceSession.create(path);
    const predictor = await Predictor.open(folder);
    const [height, width] = trialIn(folder).config.augment.size as [number, number];
    const data = Float32Array.from({ length: height * width * 3 }, (_, i) => (i * 7919) % 256);
    const expected = await predictor.predict({ height, width, channels: 3, data });
    const results = await session.run({ image: new ort.Tensor('float32', data, [1, height, width, 3]) });
    expectClose(results.depth.data as Float32Array, [...expected.depth.data], 1e-4, 'depth');
    predictor.close();
    await session.release();
  });

  it('is what another row starts from, updates included', () => {
    const [adapted, after] = folders;
    const out = join(temporaryFolder(), 'merged.safetensors');
    exportWeights({ folder: adapted, out, part: 'model' });
    const merged = readSafetensors(out).tensors;
    const next = stored(after);
    // Frozen there, so that it still is what it started from.
    for (const [name, { data }] of merged)
      if (name.startsWith('backbone.'))
        expectClose(next.get(name)!.data as Float32Array, [...data], 1e-6, name);
  });
});
