// Every metric against NumPy on random and adversarial splits: images of several sizes, empty classes, nothing
// known, ties at thresholds, single pixels.
import '../../../modules/index.js';
import { expect } from 'chai';
import { createTrialContainer } from '../../../registry/container.js';
import type { LabelMap } from '../../../registry/contracts/data.js';
import type { Absent } from '../../../registry/contracts/learning.js';
import { readJson, readTensors } from '../../reference/fixtures.js';

interface Case {
  metric: string;
  images: number;
  options: Record<string, unknown>;
  expected: Record<string, number | null>;
}

const KINDS: Record<string, string> = {
  miou: 'classes',
  rmse: 'depth',
  angular_error: 'normals',
  saliency: 'binary',
};

const tensors = readTensors('metric_cases.safetensors');
const cases = readJson('metric_cases.json') as Record<string, Case>;

function mapOf(name: string, kind: string): LabelMap {
  const { shape, data } = tensors.get(name)!;
  const [height, width, channels] = shape;
  return { kind, height, width, channels, data };
}

function measure(
  name: string,
  { metric, images, options }: Case,
  more = {},
): Record<string, number | Absent> {
  const kind = KINDS[metric];
  const { classes, ...given } = options;
  const task = { name: 't', kind, channels: Number(classes ?? 1) };
  const run = createTrialContainer([task])
    .create('metric', { type: metric, ...given, ...more })
    .start(task);
  for (let i = 0; i < images; i++)
    run.update(mapOf(`${name}/${i}/prediction`, kind), mapOf(`${name}/${i}/label`, kind));
  return run.compute() as Record<string, number | Absent>;
}

function compare(
  name: string,
  { expected }: Case,
  actual: Record<string, number | Absent>,
  tolerance = 1e-5,
): void {
  for (const [key, value] of Object.entries(expected)) {
    if (value === null) expect(actual[key], `${name}: ${key}`).to.have.property('absent').that.is.a('string');
    // A histogram of bins of 0.01 degrees.
    else if (key === 'median') expect(actual[key], `${name}: ${key}`).to.be.closeTo(value, 0.0051);
    else
      expect(actual[key], `${name}: ${key}`).to.be.closeTo(value, tolerance * Math.max(1, Math.abs(value)));
  }
}

describe('metrics against NumPy', () => {
  for (const [name, item] of Object.entries(cases)) it(name, () => compare(name, item, measure(name, item)));

  for (const [name, item] of Object.entries(cases).filter(([, { metric }]) => metric === 'angular_error'))
    it(`${name} by atan2`, () => compare(name, item, measure(name, item, { angle: 'atan2' }), 3e-5));

  it('saliency names the maximal F of the protocol that is asked for', () => {
    const name = 'saliency_random';
    const atrc = measure(name, cases[name], { protocol: 'atrc' });
    expect(atrc.maxF).to.equal(atrc.maxF_atrc);
    expect(atrc.maxF_sv).to.be.closeTo(cases[name].expected.maxF_sv!, 1e-9);
    expect(atrc.maxF).not.to.equal(atrc.maxF_sv);
  });
});
