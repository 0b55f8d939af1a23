// A fixture of the PyTorch reference as a trial, with its weights and its batch as files: what the commands that work
// on files are given.
import { join } from 'node:path';
import { component } from '../../registry/component.js';
import type { Dataset } from '../../registry/contracts/data.js';
import { loadExperiment, type TrialSpec } from '../../runners/config/index.js';
import { writeSafetensors, type WritableTensor } from '../../runners/support/safetensors.js';
import { readTensors, type ModelFixture } from '../reference/fixtures.js';
import { referenceSections } from './reference-model.js';
import { TABLE3 } from './rooms.js';

/** Has the fixtures' tasks and no samples. */
@component({
  kind: 'dataset',
  name: 'reference-tasks',
  summary: 'for tests',
  file: import.meta.url,
})
export class ReferenceTasks implements Dataset {
  readonly tasks = [
    { name: 'semseg', kind: 'classes', channels: 7 },
    { name: 'depth', kind: 'depth', channels: 1 },
    { name: 'normals', kind: 'normals', channels: 3 },
  ] as const;

  async prepare(): Promise<never> {
    throw new Error('there is nothing to prepare');
  }
  async ids(): Promise<readonly string[]> {
    return [];
  }
  async load(): Promise<never> {
    throw new Error('there are no samples');
  }
}

/** The trial of a fixture with three tasks; only its seed is not the fixture's. */
export function referenceTrial(fixture: ModelFixture): TrialSpec {
  const [trial] = loadExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP'] }).trials;
  const { model, heads, lossSlots, scheme, optimizer, intermediate } = referenceSections(fixture);
  const tasks = Object.fromEntries(
    Object.entries(lossSlots).map(([name, loss]) => [
      name,
      { ...trial.config.tasks[name], head: heads[name].head, loss },
    ]),
  );
  const config = { ...trial.config, data: { type: 'reference-tasks' }, model, tasks, scheme, optimizer };
  return { ...trial, config: { ...config, intermediate } };
}

/** Writes weights.safetensors and batch.safetensors (image and labels as the reference has them, NCHW). */
export function writeReference(fixture: ModelFixture, folder: string): { weights: string; batch: string } {
  const weights = join(folder, 'weights.safetensors');
  const batch = join(folder, 'batch.safetensors');
  const numbers = [...fixture.parameters, ...fixture.buffers].map(
    ({ name, shape, initial }): [string, WritableTensor] => [
      name,
      { dtype: 'float32', shape, data: initial },
    ],
  );
  writeSafetensors(weights, new Map(numbers));
  const tensors = [...readTensors('batch.safetensors')].map(
    ([name, { shape, data }]): [string, WritableTensor] => [
      name,
      data instanceof Float32Array
        ? { dtype: 'float32', shape, data }
        : { dtype: 'int32', shape, data: Int32Array.from(data) },
    ],
  );
  writeSafetensors(batch, new Map(tensors));
  return { weights, batch };
}
