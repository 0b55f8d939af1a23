// Files of torchvision, timm and transformers, under the names that these libraries give their tensors: imported,
// named in an experiment, run. What the libraries' own networks make of the same numbers is in the fixture
// (test/reference/systems_torch/checkpoints.py).
import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../../modules/index.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import type { Tensor4D } from '../../../registry/tf.js';
import { forward } from '../../../runners/app/compare/forward.js';
import { loadExperiment, type TrialSpec } from '../../../runners/config/index.js';
import { importWeights, type Imported } from '../../../runners/app/weights/import.js';
import { record } from '../../../runners/engine/recording.js';
import { assembled } from '../../../runners/model/assemble.js';
import { loadStart } from '../../../runners/store/weights/start.js';
import type { HostTensor } from '../../../runners/support/host-tensor.js';
import {
  readSafetensors,
  writeSafetensors,
  type WritableTensor,
} from '../../../runners/support/safetensors.js';
import { namedValues, readJson } from '../../reference/fixtures.js';
import { expectClose } from '../../support/oracle.js';
import { rejection } from '../../support/reference.js';

interface Case {
  size: [number, number];
  tensors: Record<string, { shape: number[]; offset: number; scale: number; dtype?: 'int32' }>;
  outputs: Record<string, { shape: number[]; cells: number[] }>;
}

const CASES = readJson('systems/checkpoints.json') as Record<string, Case>;
const CELLS = 24;
/** What tells the config.json beside a file. */
const SETTINGS: Record<string, object> = {
  'swin-v2': { model_type: 'swinv2', window_size: 4, pretrained_window_sizes: [3, 3, 3, 2] },
  'swin-v2-timm': { architecture: 'swinv2_tiny_window4_64' },
};
/** What of a name tells parts apart that are one tensor here. */
const JOINED =
  /attention\.(query|key|value)(?=\.)|(?<=attention\.)(q|k|v)_proj(?=\.weight)|(gate|up)_proj|fc1_[gx]/;

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

describe('checkpoints of other libraries', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-checkpoints-'))));
  after(() => rmSync(folder, { recursive: true }));

  function tensorsOf(name: string): Map<string, WritableTensor> {
    const tensor = ({ shape, offset, scale, dtype }: Case['tensors'][string], key: string): WritableTensor =>
      dtype === 'int32'
        ? { dtype, shape, data: new Int32Array(sizeOf(shape)) }
        : { dtype: 'float32', shape, data: namedValues(key, sizeOf(shape), offset, scale) };
    return new Map(Object.entries(CASES[name].tensors).map(([key, spec]) => [key, tensor(spec, key)]));
  }

  /** Each in a folder of its own, with its config.json if it has one. */
  function write(name: string, tensors = tensorsOf(name), settings = SETTINGS[name]): string {
    const own = mkdtempSync(join(folder, `${name}-`));
    const path = join(own, settings ? 'model.safetensors' : `${name}-source.safetensors`);
    writeSafetensors(path, tensors, { format: 'pt' });
    if (settings) writeFileSync(join(own, 'config.json'), JSON.stringify(settings));
    return path;
  }

  function trialOf(
    backbone: Imported['backbone'],
    weights: string,
    [height, width]: Case['size'],
  ): TrialSpec {
    const path = join(folder, 'experiment.yaml');
    // JSON is YAML.
    writeFileSync(
      path,
      JSON.stringify({
        name: 'imported',
        data: { type: 'embedded-rooms', size: [height, width] },
        augment: { type: 'sv', size: [height, width] },
        tasks: { depth: { head: { type: 'linear' }, loss: { type: 'l1_depth' }, metric: { type: 'rmse' } } },
        model: { backbone },
        weights: { backbone: weights },
        scheme: { type: 'equal' },
        optimizer: { type: 'sgd', rate: 1e-3 },
        schedule: { type: 'constant' },
        train: { epochs: 1, batch: 1 },
      }),
    );
    return loadExperiment(path).trials[0];
  }

  /** Every map of the backbone on the fixture's image. */
  async function expectMaps(name: string, trial: TrialSpec): Promise<void> {
    const { size, outputs } = CASES[name];
    const [input, out] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];
    const shape = [1, 3, ...size];
    writeSafetensors(
      input,
      new Map([
        ['image', { dtype: 'float32' as const, shape, data: namedValues('image', sizeOf(shape), 0, 1.7) }],
      ]),
      {},
    );
    const names = Object.keys(outputs).map((level) => `backbone.shared.${level.slice('level'.length)}`);
    await forward(trial, { input, out, outputs: names });
    const computed = readSafetensors(out).tensors;
    for (const [level, { shape, cells }] of Object.entries(outputs)) {
      const { data, shape: own } = computed.get(`backbone.shared.${level.slice('level'.length)}`)!;
      expect(own).to.deep.equal(shape);
      const stride = Math.max(1, Math.floor(data.length / CELLS)) | 1;
      expectClose(
        data.filter((_, i) => i % stride === 0),
        cells,
        1e-4,
        `${name}: ${level}`,
      );
    }
  }

  const DINOV2 = { type: 'dinov2', channels: 48, depth: 2, heads: 3, patch: 14 };
  const DINOV3 = {
    type: 'dinov3',
    channels: 48,
    depth: 2,
    heads: 3,
    mlp: 'swiglu',
    registers: 2,
    patch: 16,
  };
  const CONVNEXT = { depths: [1, 2, 1, 1], channels: [8, 12, 16, 20] };
  const SWIN_V2 = {
    type: 'swin_v2',
    embed: 8,
    depths: [1, 2, 1, 1],
    heads: [1, 2, 2, 4],
    window: 4,
    mlp_ratio: 4,
  };
  /** Heads that no published size tells. */
  const HEADS: Record<string, number> = { vit: 2, dinov2: 3, 'dinov2-timm': 3, dinov3: 3, 'dinov3-timm': 3 };
  const OPTIONS: Record<string, Record<string, unknown>> = {
    resnet18: { type: 'resnet', depth: 18, width: 8, blocks: [2, 1, 1, 1] },
    resnet50: { type: 'resnet', depth: 50, width: 8, blocks: [1, 1, 1, 1] },
    hrnet: { type: 'hrnet', width: 4, modules: [1, 1, 1], blocks: 1, stem: 64 },
    vit: { type: 'vit', channels: 128, depth: 2, heads: 2, patch: 16, mlp_ratio: 4, grid: [4, 4] },
    swin: { type: 'swin', embed: 8, depths: [1, 2, 1, 1], heads: [1, 2, 2, 4], window: 4, mlp_ratio: 4 },
    'swin-timm': {
      type: 'swin',
      embed: 8,
      depths: [1, 2, 1, 1],
      heads: [1, 2, 2, 4],
      window: 2,
      mlp_ratio: 4,
    },
    dinov2: { ...DINOV2, hidden: 192, mlp: 'gelu', registers: 0, class_position: true, grid: [2, 2] },
    'dinov2-timm': {
      ...DINOV2,
      hidden: 96,
      mlp: 'swiglu',
      registers: 2,
      class_position: false,
      grid: [3, 3],
    },
    dinov3: { ...DINOV3, hidden: 64, biases: 'qv' },
    'dinov3-timm': { ...DINOV3, hidden: 96, biases: 'none' },
    convnext: { type: 'convnext', version: 1, ...CONVNEXT },
    'convnext-timm': { type: 'convnext', version: 2, ...CONVNEXT },
    mit: {
      type: 'mit',
      depths: [1, 2, 1, 1],
      channels: [8, 12, 20, 24],
      reductions: [4, 2, 1, 1],
      mlp_ratio: 4,
    },
    'swin-v2': { ...SWIN_V2, pretrained_windows: [3, 3, 3, 2] },
    'swin-v2-timm': { ...SWIN_V2, pretrained_windows: [0, 0, 0, 0] },
  };
  /** What an experiment says besides: how the libraries run the same weights. */
  const RUN: Record<string, Record<string, unknown>> = {
    resnet18: { dilated: false },
    resnet50: { dilated: false },
    hrnet: { upsample: 'nearest' },
    vit: { taps: [1, 2] },
    swin: { drop_path: 0 },
    'swin-timm': { drop_path: 0 },
    dinov2: { taps: [1, 2] },
    'dinov2-timm': { taps: [1, 2] },
    dinov3: { taps: [1, 2] },
    'dinov3-timm': { taps: [1, 2] },
    convnext: { drop_path: 0 },
    'convnext-timm': { drop_path: 0 },
    mit: { drop_path: 0 },
    'swin-v2': { drop_path: 0 },
    'swin-v2-timm': { drop_path: 0 },
  };
  /** Families whose norms of single maps a classifier lacks. */
  const NORMS = ['swin', 'convnext'];
  /** What is left out of each file besides; transformers' DINOv3 has no head. */
  const HEADLESS: Record<string, string> = {
    dinov3: 'stands for patches that pretraining hides',
    mit: 'segments images',
  };

  for (const [name, options] of Object.entries(OPTIONS))
    it(`${name}: read from shapes, imported, and run as its library runs it`, async () => {
      const out = join(folder, `${name}.safetensors`);
      // A small ViT is none of the published ones, whose heads are known.
      const { backbone, fit } = await importWeights(
        write(name),
        out,
        name in HEADS ? { heads: HEADS[name] } : {},
      );
      expect(backbone).to.deep.equal(options);
      expect([fit.missing, fit.unexpected, fit.misshapen]).to.deep.equal([[], [], []]);
      const classifying = fit.skipped.filter(
        ({ reason }) => reason === (HEADLESS[name] ?? 'classifies images'),
      );
      expect(classifying).not.to.deep.equal([]);
      const stored = Object.keys(CASES[name].tensors);
      // Swins have three tensors for each of timm's, the DINOs one for several of transformers'.
      const apart = String(options.type).startsWith('swin')
        ? stored.filter((key) => key.includes('.qkv.')).length
        : 0;
      const joined = stored.filter((key) => JOINED.test(key)).length;
      const ones = new Set(stored.filter((key) => JOINED.test(key)).map((key) => key.replace(JOINED, '')));
      expect(fit.taken.size + fit.skipped.length).to.equal(
        stored.length + 2 * apart - (String(options.type).startsWith('dino') ? joined - ones.size : 0),
      );
      expect(fit.fresh.map((each) => each.name)).to.deep.equal(
        NORMS.includes(options.type as string)
          ? [1, 2, 3, 4].flatMap((stage) =>
              ['weight', 'bias'].map((end) => `backbone.hidden_states_norms.stage${stage}.${end}`),
            )
          : [],
      );
      await expectMaps(name, trialOf({ ...backbone, ...RUN[name] }, out, CASES[name].size));
    });

  it('come without what programs wrap around a model and what pretraining hides, and say so', async () => {
    const whole = tensorsOf('swin');
    const token: WritableTensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) };
    const extra = new Map([...whole, ['swin.embeddings.mask_token', token], ['decoder.0.weight', token]]);
    const wrapped = new Map([...extra].map(([name, tensor]) => [`module._orig_mod.${name}`, tensor]));
    const out = join(folder, 'wrapped.safetensors');
    const { stripped, fit } = await importWeights(write('wrapped', wrapped), out);
    expect(stripped.join()).to.contain('"module."').and.contain('"_orig_mod."');
    const skipped = Object.fromEntries(fit.skipped.map(({ name, reason }) => [name, reason]));
    expect(skipped['swin.embeddings.mask_token']).to.contain('hides');
    expect(skipped['decoder.0.weight']).to.contain('hidden patches');
    const plain = join(folder, 'plain.safetensors');
    await importWeights(write('swin'), plain);
    const [a, b] = [plain, out].map((path) => readSafetensors(path).tensors);
    for (const [name, { data }] of a) expect(b.get(name)!.data, name).to.deep.equal(data);
  });

  it('of an attention whose heads nobody tells are asked about, and compared when they are known', async () => {
    const out = join(folder, 'heads.safetensors');
    const unknown = await rejection(importWeights(write('vit'), out));
    expect(unknown.message).to.contain('do not tell the number of attention heads');
    expect(unknown.hint).to.contain('--heads').and.contain('num_heads');
    expect(existsSync(out)).to.equal(false);
    const { backbone } = await importWeights(write('vit'), out, { heads: 4 });
    expect(backbone).to.include({ heads: 4 });
    // The file says so from now on: to the next import, and to a model that has another number.
    expect((await importWeights(out, join(folder, 'again.safetensors'))).backbone).to.include({ heads: 4 });
    const trial = trialOf({ ...OPTIONS.vit, ...RUN.vit, type: 'vit' }, out, CASES.vit.size);
    const error = await rejection(expectMaps('vit', trial));
    expect(error.message).to.contain('was trained with heads: 4, the model has 2');
  });

  it('say how many rows and columns a position table has, if it is no square', async () => {
    const tensors = tensorsOf('vit');
    const { shape } = tensors.get('pos_embed')!;
    const channels = shape[2];
    const table: WritableTensor = {
      dtype: 'float32',
      shape: [1, 7, channels],
      data: new Float32Array(7 * channels),
    };
    const read = (config: object) => {
      const source = mkdtempSync(join(folder, 'grid-'));
      writeSafetensors(join(source, 'model.safetensors'), tensors.set('pos_embed', table), { format: 'pt' });
      writeFileSync(join(source, 'config.json'), JSON.stringify({ num_heads: 2, ...config }));
      return importWeights(source, join(source, 'out.safetensors'));
    };
    expect((await read({ grid: [2, 3] })).backbone).to.deep.include({ grid: [2, 3] });
    expect((await rejection(read({ grid: [2, 4] }))).message).to.contain(
      '[2,4], but the position table has 6',
    );
    expect((await rejection(read({}))).message).to.match(
      /6 positions, which is no square; config.json .* "grid"/,
    );
  });

  it('whose windows no tensor tells need the config.json, and are compared when they are known', async () => {
    const out = join(folder, 'windows.safetensors');
    const unknown = await rejection(importWeights(write('swin-v2', undefined, {}), out));
    expect(unknown.message).to.contain('no tensor tells the size of its windows');
    expect(unknown.hint).to.contain('config.json').and.contain('window_size');
    expect(existsSync(out)).to.equal(false);
    const finetuned = { architecture: 'swinv2_base_window12to16_192to256' };
    const { backbone } = await importWeights(write('swin-v2', undefined, finetuned), out);
    expect(backbone).to.deep.include({ window: 16, pretrained_windows: [12, 12, 12, 6] });
    const trial = trialOf({ ...SWIN_V2, drop_path: 0 }, out, CASES['swin-v2'].size);
    const error = await rejection(expectMaps('swin-v2', trial));
    expect(error.message).to.contain('was trained with window: 16, the model has 4');
  });

  it('of a plain transformer are what an encoder with prompts starts from, prompts aside', async () => {
    const out = join(folder, 'plain-vit.safetensors');
    const { backbone } = await importWeights(write('vit'), out, { heads: 2 });
    expect(backbone.type).to.equal('vit');
    const prompted = { ...backbone, ...RUN.vit, type: 'prompted_vit', windows: 1 };
    const started = async (weights: string, options: object = prompted) => {
      const trial = trialOf(options as Imported['backbone'], weights, CASES.vit.size);
      const table = new ParameterTable();
      await record((tracer) => {
        const image = tracer.input('image', 'float32', [1, ...CASES.vit.size, 3]) as Tensor4D;
        return assembled(trial).network.forward(new Pass(table, tracer, true).root, image);
      });
      const arrays = new Map<string, HostTensor['data']>();
      const array = (name: string) => {
        const { shape } = table.parameters.get(name)!;
        if (!arrays.has(name)) arrays.set(name, new Float32Array(sizeOf(shape)));
        return arrays.get(name)!;
      };
      loadStart(trial, table, array, () => {
        throw new Error('no other row');
      });
      return { arrays, names: [...table.parameters.keys()].filter((name) => name.startsWith('backbone.')) };
    };
    const { arrays, names } = await started(out);
    const source = readSafetensors(out).tensors;
    for (const [name, data] of arrays)
      expect([...data], name).to.deep.equal([...source.get(name.slice('backbone.'.length))!.data]);
    const drawn = names.filter((name) => !arrays.has(name));
    expect(drawn).to.include('backbone.task_prompts');
    for (const name of drawn) expect(name).to.match(/task_prompts$|\.attn\.token_trans1?\.(weight|bias)$/);
    const other = await rejection(started(out, { ...prompted, heads: 4 }));
    expect(other.message).to.contain('was trained with heads: 2, the model has 4');
  });

  it('of a plain transformer fit one inside a pyramid, whose own parameters are drawn', async () => {
    const encoder = { ...OPTIONS.dinov2, ...RUN.dinov2, type: 'dinov2' };
    const trial = trialOf(
      { type: 'simple_pyramid', channels: 8, encoder },
      write('dinov2', undefined, { num_attention_heads: 3 }),
      [56, 84],
    );
    const [input, out] = [join(folder, 'pyramid-in.safetensors'), join(folder, 'pyramid-out.safetensors')];
    const shape = [1, 3, 56, 84];
    const image = { dtype: 'float32' as const, shape, data: namedValues('image', sizeOf(shape), 0, 1) };
    writeSafetensors(input, new Map([['image', image]]), {});
    const outputs = [0, 1, 2, 3].map((i) => `backbone.shared.${i}`);
    await forward(trial, { input, out, outputs });
    const shapes = outputs.map((name) => readSafetensors(out).tensors.get(name)!.shape);
    expect(shapes).to.deep.equal([
      [1, 8, 16, 24],
      [1, 8, 8, 12],
      [1, 8, 4, 6],
      [1, 8, 2, 3],
    ]);
    const other = { ...trial.config.model.backbone, encoder: { ...encoder, heads: 4 } };
    const wrong = await rejection(
      forward(trialOf(other, trial.config.weights.backbone!, [56, 84]), { input, out, outputs }),
    );
    expect(wrong.message).to.contain('was trained with heads: 3, the model has 4');
  });

  it('are named in an experiment as they are, too', async () => {
    const trial = trialOf(
      { ...OPTIONS.resnet18, ...RUN.resnet18, type: 'resnet' },
      write('resnet18'),
      CASES.resnet18.size,
    );
    await expectMaps('resnet18', trial);
  });

  it('under the names that transformers 5 has in memory are the same', async () => {
    const inMemory = (name: string) =>
      name
        .replace('.attention.self.query.', '.attention.q_proj.')
        .replace('.attention.self.key.', '.attention.k_proj.')
        .replace('.attention.self.value.', '.attention.v_proj.')
        .replace('.attention.output.dense.', '.attention.o_proj.')
        .replace('.attention.self.relative', '.attention.relative_position_bias.relative')
        .replace('.intermediate.dense.', '.mlp.fc1.')
        .replace('.output.dense.', '.mlp.fc2.');
    const [old, now] = [join(folder, 'old.safetensors'), join(folder, 'now.safetensors')];
    await importWeights(write('swin'), old);
    const renamed = new Map([...tensorsOf('swin')].map(([name, tensor]) => [inMemory(name), tensor]));
    expect(renamed.has('swin.encoder.layers.0.blocks.0.attention.q_proj.weight')).to.equal(true);
    await importWeights(write('swin-in-memory', renamed), now);
    const [a, b] = [old, now].map((path) => readSafetensors(path).tensors);
    expect([...b.keys()].sort()).to.deep.equal([...a.keys()].sort());
    for (const [name, { data }] of a) expect(b.get(name)!.data, name).to.deep.equal(data);
  });

  it('are refused whole if a tensor is missing, added or misshapen', async () => {
    for (const [change, message] of [
      [
        (all: Map<string, WritableTensor>) => all.delete('layer3.0.bn2.running_mean'),
        'missing in the file (1)',
      ],
      [
        (all: Map<string, WritableTensor>) => all.set('layer3.0.se.weight', all.get('bn1.bias')!),
        'unexpected in the file (1)',
      ],
      [
        (all: Map<string, WritableTensor>) => all.set('layer2.0.bn1.bias', all.get('bn1.bias')!),
        'of another shape (1)',
      ],
    ] as const) {
      const tensors = tensorsOf('resnet18');
      change(tensors);
      const out = join(folder, 'never.safetensors');
      const error = await rejection(importWeights(write('changed', tensors), out));
      expect(error.message).to.contain('nothing was loaded').and.to.contain(message);
      expect(() => readSafetensors(out)).to.throw();
    }
    // Nor does a network of another size take part of it.
    const trial = trialOf(
      { type: 'resnet', depth: 18, width: 8, blocks: [2, 2, 1, 1] },
      write('resnet18'),
      [64, 96],
    );
    const error = await rejection(
      forward(trial, {
        input: join(folder, 'in.safetensors'),
        out: join(folder, 'out.safetensors'),
        outputs: ['backbone.shared.0'],
      }),
    );
    expect(error.message).to.contain('backbone.layer2.1.conv1.weight');
  });
});
