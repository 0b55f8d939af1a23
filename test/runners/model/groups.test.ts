// Parameter groups: who belongs where, and that each moves at its own rate with its own decay.
import '../../../modules/index.js';
import { expect } from 'chai';
import type * as tf from '../../../registry/tf.js';
import { linear } from '../../../modules/nn/layers.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { record } from '../../../runners/engine/recording.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { Optimizer } from '../../../registry/contracts/learning.js';
import { DEFAULT_MEMORY } from '../../../registry/contracts/memory.js';
import type { Scope } from '../../../registry/contracts/scope.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import type { MtcpError } from '../../../registry/errors.js';
import { randomStream } from '../../../registry/random.js';
import { groupParameters } from '../../../runners/model/groups.js';
import type { Network } from '../../../runners/model/network.js';
import { TrainingStep } from '../../../runners/training/step/step.js';
import { recordingEngine } from '../../support/oracle.js';

const NAMES = ['a.weight', 'a.bias', 'b.weight', 'b.bias'];
/** All of these train. */
const all = (names: readonly string[]) => ({ names, shapes: new Set(names) });
const withGroups = (...groups: object[]) => ({ groups }) as unknown as Optimizer;

describe('parameter groups', () => {
  it('the first group that names a parameter has it', () => {
    const groups = groupParameters(all(NAMES), withGroups({ parameters: 'a.*' }, { parameters: '*.bias' }));
    expect(groups.map(({ names }) => names)).to.deep.equal([
      ['b.weight'],
      ['a.weight', 'a.bias'],
      ['b.bias'],
    ]);
  });

  it('a group of nothing is an error', () => {
    expect(() => groupParameters(all(NAMES), withGroups({ parameters: 'c.*' }))).to.throw(
      /no parameter is called "c/,
    );
    const hidden = withGroups({ parameters: '*' }, { parameters: 'a.*' });
    expect(() => groupParameters(all(NAMES), hidden)).to.throw(/no parameter is called "a/);
  });

  it('a group of nothing is told what there is', () => {
    const names = [
      'backbone.model.encoder.layer.0.weight',
      'backbone.model.encoder.norm',
      'heads.depth.bias',
    ];
    const hintOf = (parameters: string) => {
      try {
        groupParameters(all(names), withGroups({ parameters }));
      } catch (error) {
        return (error as MtcpError).hint;
      }
      return undefined;
    };
    expect(hintOf('backbone.encoder.*')).to.equal('did you mean "backbone.model.encoder.*"?');
    expect(hintOf('nothing.*')).to.equal('known: backbone.model.*, heads.depth.*');
  });

  it('of nothing but frozen parameters is empty, which is no error', () => {
    const trained = { names: NAMES, shapes: new Set(['b.weight', 'b.bias']) };
    const groups = groupParameters(trained, withGroups({ parameters: 'a.*' }, { parameters: '*.bias' }));
    expect(groups.map(({ names }) => names)).to.deep.equal([['b.weight'], ['b.bias']]);
  });

  it('with layer_decay has a rate for each block: by distance from what follows the last', () => {
    const names = [
      'backbone.stem.weight',
      'backbone.blocks.0.weight',
      'backbone.blocks.0.bias',
      'backbone.maps.0.weight',
      'backbone.between.weight',
      'backbone.blocks.1.weight',
      'backbone.norm.weight',
      'heads.depth.weight',
    ];
    const layers = { block: /\bblocks\.\d+\./, after: /\bmaps\./ };
    const optimizer = withGroups({ parameters: 'backbone.*', rate: 0.1, weight_decay: 0, layer_decay: 0.5 });
    const groups = groupParameters({ ...all(names), layers }, optimizer);
    const rates = Object.fromEntries(
      groups.flatMap(({ names: own, group }) => own.map((name) => [name, group?.rate ?? 1])),
    );
    const block = (distance: number) => 0.1 * 0.5 ** distance;
    expect(rates).to.deep.equal({
      'heads.depth.weight': 1,
      'backbone.stem.weight': block(3),
      'backbone.blocks.0.weight': block(2),
      'backbone.blocks.0.bias': block(2),
      'backbone.between.weight': block(1),
      'backbone.blocks.1.weight': block(1),
      'backbone.norm.weight': block(0),
      'backbone.maps.0.weight': block(0),
    });
    expect(groups.every(({ group }) => !group || group.weight_decay === 0)).to.equal(true);
    expect(() => groupParameters(all(names), optimizer)).to.throw(/layer_decay needs a backbone/);
  });

  for (const slot of [
    { type: 'vit', variant: 's' },
    { type: 'dinov2', variant: 's' },
    { type: 'dinov3', variant: 's' },
    { type: 'swin' },
    { type: 'swin_v2' },
    { type: 'convnext' },
    { type: 'mit', variant: 'b1' },
    { type: 'resnet', depth: 50 },
    { type: 'hrnet' },
    { type: 'mask2former' },
    { type: 'simple_pyramid', encoder: { type: 'vit', variant: 's' } },
  ])
    it(`layer_decay of ${slot.type}: as many rates as blocks and ends`, async () => {
      const backbone = createTrialContainer([]).create('backbone', slot);
      const table = new ParameterTable();
      await record((tracer) => {
        const data = tracer.input('image', 'float32', [1, 224, 224, 3]) as tf.Tensor4D;
        const pass = new Pass(table, tracer, false);
        backbone.forward(pass.root.at('backbone'), { data, stride: 1 });
        return {};
      });
      const names = [...table.parameters.keys()];
      const groups = groupParameters(
        { ...all(names), layers: backbone.layers },
        withGroups({ parameters: '*', layer_decay: 0.5 }),
      );
      const distances = groups.map(({ group }) => 0 - Math.log2(group!.rate!));
      const blocks = {
        vit: 12,
        dinov2: 12,
        dinov3: 12,
        swin: 12,
        swin_v2: 12,
        convnext: 18,
        mit: 8,
        resnet: 16,
        hrnet: 2 + 1 + 3 + 2,
        mask2former: 24,
        simple_pyramid: 12,
      }[slot.type]!;
      const last = slot.type === 'swin_v2' || slot.type === 'resnet' || slot.type === 'hrnet' ? 1 : 0;
      expect(distances).to.deep.equal(Array.from({ length: blocks + 2 - last }, (_, i) => blocks + 1 - i));
      // What comes first goes slowest.
      expect(groups[0].names).to.include(names[0]);
    });

  it('a dot is a dot', () => {
    expect(() => groupParameters(all(['axb']), withGroups({ parameters: 'a.b' }))).to.throw(/no parameter/);
  });

  it('each group moves by its own rate and decay', async () => {
    const task: Task = { name: 'depth', kind: 'depth', channels: 1 };
    const factory = createTrialContainer([task]);
    const network = {
      memory: DEFAULT_MEMORY,
      tasks: [task],
      forward: (scope: Scope, image: tf.Tensor4D) => ({
        depth: linear(scope.at('b'), linear(scope.at('a'), image, 2), 1),
      }),
    } as unknown as Network;
    const optimizer = factory.create('optimizer', {
      type: 'sgd',
      rate: 0.1,
      weight_decay: 0.5,
      groups: [
        { parameters: 'a.weight', rate: 100, weight_decay: 0 },
        { parameters: '*.bias', rate: 0 },
      ],
    });
    const criterion = {
      tasks: [task],
      losses: { depth: factory.create('loss', { type: 'l1_depth' }) },
      scheme: factory.create('scheme', { type: 'equal' }),
      intermediate: { reduce: 'mean', scheme: true, weight: 1 },
    } as const;
    const step = await TrainingStep.compile(recordingEngine, network, criterion, optimizer, {
      batch: 1,
      size: [2, 3],
      clip: null,
    });
    step.weights.initialize(0);
    const before = new Map(NAMES.map((name) => [name, Float32Array.from(step.weights.parameter(name).data)]));
    const batch = {
      ids: ['0'],
      image: new Float32Array(18).fill(1),
      labels: { depth: new Float32Array(6).fill(9) },
    };
    await step.gradientsOf(batch, (name) => randomStream(name), { epoch: 0, step: 0 } as never);
    await step.apply(1, optimizer.rate);
    const expected = { 'a.weight': [10, 0], 'a.bias': [0, 0.5], 'b.weight': [0.1, 0.5], 'b.bias': [0, 0.5] };
    for (const [name, [rate, decay]] of Object.entries(expected)) {
      const gradient = step.gradients.views.get(name)!.data;
      expect(
        gradient.some((value) => value !== 0),
        `${name} has a gradient`,
      ).to.equal(true);
      step.weights.parameter(name).data.forEach((value, i) => {
        const old = before.get(name)![i];
        expect(value, name).to.be.closeTo(old - rate * (gradient[i] + decay * old), 1e-5);
      });
    }
    step.close();
  });
});
