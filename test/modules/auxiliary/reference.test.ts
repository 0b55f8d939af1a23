// Auxiliary losses against torch's own functions (test/reference/systems_torch/auxiliary.py): values, gradients of maps
// and parameters, what the queue of a contrast holds after the step.
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import '../../../modules/index.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { createTrialContainer, type Slot } from '../../../registry/container.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { auxiliaryPenalty, type AuxiliaryTerm, type Teacher } from '../../../runners/model/auxiliary.js';
import { channelsLast, namedValues, readJson } from '../../reference/fixtures.js';
import { evaluate, expectClose, recordingEngine, type Arrays } from '../../support/oracle.js';

interface Case {
  loss: number;
  gradients: Record<string, number[]>;
  shape?: number[];
  queues?: Record<string, number[]>;
  labels?: Record<string, number[]>;
}

const CASES = readJson('systems/auxiliary.json') as Record<string, Case>;
const [BATCH, HEIGHT, WIDTH] = [2, 3, 4];

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);

/** As the reference draws it; maps are [batch, channels, height, width] there. */
function drawn(name: string, shape: number[]): Arrays[string] {
  return { shape, data: namedValues(name, sizeOf(shape), 0, 1) };
}

function map(name: string, channels: number): Arrays[string] {
  const shape = [BATCH, channels, HEIGHT, WIDTH];
  return channelsLast({ shape, data: namedValues(name, sizeOf(shape), 0, 1) });
}

interface Setting {
  tasks?: readonly Task[];
  /** Exposed name of a map to its array. */
  maps?: Record<string, Arrays[string]>;
  taught?: Arrays[string];
  /** Task to its labels, at the size of the maps. */
  labels?: Record<string, Arrays[string]>;
  /** Network's parameters, by name. */
  parameters?: Arrays;
  /** What the loss itself asks its scope for, by the name that the reference draws it by. */
  own?: Arrays;
}

const OWN = 'auxiliary.term.';

/** Value and gradients of a term, and what its buffers are to be. */
async function measure(
  slot: Slot,
  { tasks = [], maps = {}, taught, labels = {}, parameters = {}, own = {} }: Setting,
) {
  const inputs: Arrays = {
    ...Object.fromEntries(Object.entries(maps).map(([name, array]) => [`map/${name}`, array])),
    ...(taught && { taught }),
    ...Object.fromEntries(Object.entries(labels).map(([name, array]) => [`label/${name}`, array])),
    ...parameters,
    ...own,
  };
  const loss = createTrialContainer(tasks).create('auxiliary', slot);
  const outputs = await evaluate(recordingEngine, inputs, (tensors) => {
    const table = new ParameterTable();
    for (const [name, { shape }] of Object.entries(parameters))
      table.parameters.set(name, { shape, init: () => {} });
    const forward = () => {
      const source = {
        input: (name: string) =>
          tensors[name.replace(/^(parameter|buffer)\//, '').replace(OWN, '')] as tf.Tensor,
        label: () => {},
      };
      const pass = new Pass(table, source, true);
      for (const name of Object.keys(maps))
        pass.features.set(name, () => tensors[`map/${name}`] as tf.Tensor4D);
      for (const [name, { shape }] of Object.entries(parameters))
        pass.parameter(name, shape, () => {}, false);
      const teacher = { feature: () => tensors.taught as tf.Tensor4D } as unknown as Teacher;
      const term: AuxiliaryTerm = { name: 'term', loss, weight: 1, teacher };
      const { value } = auxiliaryPenalty(term, pass, {
        tasks,
        size: [HEIGHT, WIDTH],
        label: (name, size) => {
          expect(size).to.deep.equal([HEIGHT, WIDTH]);
          return tensors[`label/${name}`] as tf.Tensor4D;
        },
        loss: () => {
          throw new Error('not asked for');
        },
      });
      for (const [name, { observed, momentum }] of pass.averages) {
        expect(momentum).to.equal(1);
        kept[`buffer/${name.replace(OWN, '')}`] = tf.keep(observed);
      }
      kept.loss = tf.keep(value);
      return value;
    };
    const kept: tf.NamedTensorMap = {};
    const learnt = Object.keys(inputs).filter((name) => !/^taught$|^label\/|queue$/.test(name));
    const { grads } = tf.engine().gradients(
      forward,
      learnt.map((name) => tensors[name]),
      undefined,
      true,
    );
    return { ...kept, ...Object.fromEntries(learnt.map((name, i) => [`d/${name}`, grads[i]])) };
  });
  return (name: string) => outputs[name].data;
}

async function expectCase(
  name: string,
  slot: Slot,
  setting: Setting,
): Promise<(name: string) => ArrayLike<number>> {
  const { loss, gradients } = CASES[name];
  const of = await measure(slot, setting);
  expectClose(of('loss'), [loss], 1e-5, `${name}: loss`);
  for (const [input, expected] of Object.entries(gradients)) {
    const ours = input === 'map/own' ? `map/${Object.keys(setting.maps!)[0]}` : input;
    expectClose(of(`d/${ours}`), expected, 1e-4, `${name}: gradient of ${input}`);
  }
  return of;
}

const task = (kind: Task['kind'], channels: number): Task => ({ name: 't', kind, channels });

describe('auxiliary losses against PyTorch', () => {
  it('distance of features', () =>
    expectCase(
      'features',
      { type: 'feature_distillation', features: ['decoder.*'] },
      { maps: { 'decoder.t.0': map('map/own', 3) }, taught: map('map/taught', 3) },
    ));
  it('distance of attention, of another width', () =>
    expectCase(
      'attention',
      { type: 'feature_distillation', features: ['decoder.*'], compare: 'attention' },
      { maps: { 'decoder.t.0': map('map/own', 3) }, taught: map('map/wide', 5) },
    ));

  for (const [kind, channels] of [
    ['classes', 3],
    ['binary', 1],
    ['depth', 1],
    ['normals', 3],
  ] as const)
    it(`distance of predictions: ${kind}`, () =>
      expectCase(
        kind,
        { type: 'prediction_distillation', temperature: 3 },
        {
          tasks: [task(kind, channels)],
          maps: { 'prediction.t': map('map/own', channels) },
          taught: map('map/taught', channels),
        },
      ));

  for (const [name, between] of [
    ['filters wide', 'filters'],
    ['filters tall', 'filters'],
    ['halves', 'halves'],
  ])
    it(`orthogonality: ${name}`, () =>
      expectCase(
        name,
        { type: 'orthogonality', parameters: ['w*'], between },
        { parameters: { weight: drawn('weight', CASES[name].shape!) } },
      ));

  it('noise contrast, and the queue after it', async () => {
    const tasks = ['a', 'b', 'c'].map((name): Task => ({ name, kind: 'depth', channels: 1 }));
    const own = tasks.flatMap(({ name }) => [
      [`${name}.hidden.weight`, drawn(`${name}.hidden.weight`, [5, 6])] as const,
      [`${name}.hidden.bias`, drawn(`${name}.hidden.bias`, [5])] as const,
      [`${name}.out.weight`, drawn(`${name}.out.weight`, [5, 5])] as const,
      [`${name}.out.bias`, drawn(`${name}.out.bias`, [5])] as const,
      [`${name}.queue`, drawn(`${name}.queue`, [7, 5])] as const,
    ]);
    const of = await expectCase(
      'contrast',
      { type: 'noise_contrast', features: '*', channels: 5, queue: 7, temperature: 0.2 },
      {
        tasks,
        maps: Object.fromEntries(tasks.map(({ name }) => [name, map(`map/${name}`, 6)])),
        own: Object.fromEntries(own),
      },
    );
    for (const [name, expected] of Object.entries(CASES.contrast.queues!))
      expectClose(of(`buffer/${name}.queue`), expected, 1e-5, `queue of ${name}`);
  });

  for (const [name, settings] of [
    ['pairwise', { sharpness: 4 }],
    ['pairwise, some rows', { sharpness: 1.5, rows: 5 }],
  ] as const)
    it(`affinities and labels: ${name}`, () => {
      const kinds = { classes: 1, depth: 1, normals: 3 };
      const label = (kind: string, channels: number) => ({
        shape: [BATCH, HEIGHT, WIDTH, channels],
        data: Float32Array.from(CASES[name].labels![kind]),
      });
      const of = <T>(make: (kind: keyof typeof kinds) => T) =>
        Object.fromEntries((Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) => [kind, make(kind)]));
      return expectCase(
        name,
        { type: 'pairwise_affinity', features: '*', ...settings },
        {
          tasks: Object.values(of((kind): Task => ({ name: kind, kind, channels: kinds[kind] }))),
          maps: of((kind) => map(`map/${kind}`, 6)),
          labels: of((kind) => label(kind, kinds[kind])),
        },
      );
    });
});
