// Whole networks under their authors' names (test/reference/systems_torch/names.py) into rows: every tensor that our
// network has comes out with the numbers that the fixture of the network has, whose predictions are the authors'.
import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../../../modules/index.js';
import { component } from '../../../../registry/component.js';
import type { Dataset } from '../../../../registry/contracts/data.js';
import type { Task } from '../../../../registry/contracts/tasks.js';
import { importSystem } from '../../../../runners/app/weights/import-system.js';
import { loadExperiment, type TrialSpec } from '../../../../runners/config/index.js';
import {
  readSafetensors,
  writeSafetensors,
  type WritableTensor,
} from '../../../../runners/support/safetensors.js';
import { readJson } from '../../../reference/fixtures.js';
import { rejection } from '../../../support/reference.js';
import { TABLE3 } from '../../../support/rooms.js';
import { readFixture } from '../../../support/systems.js';

type Kinds = Record<string, Omit<Task, 'name'>>;
const NYUD: Kinds = {
  semseg: { kind: 'classes', channels: 5 },
  depth: { kind: 'depth', channels: 1 },
  normals: { kind: 'normals', channels: 3 },
};

/** Has the tasks of the fixture at hand and no samples. */
let kinds: Kinds = NYUD;

@component({
  kind: 'dataset',
  name: 'authors-tasks',
  summary: 'for tests',
  file: import.meta.url,
})
export class AuthorsTasks implements Dataset {
  readonly tasks = Object.entries(kinds).map(([name, kind]) => ({ name, ...kind }));

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

const names = readJson('systems/names.json') as Record<string, [string, string, string | null][]>;

/** The fixture's network as a trial. */
function trialOf(name: string): TrialSpec {
  const fixture = readFixture(name) as unknown as {
    model: TrialSpec['config']['model'];
    tasks: Record<string, { head: { type: string } }>;
    kinds?: Kinds;
    image: number[];
  };
  kinds = fixture.kinds ?? NYUD;
  const [trial] = loadExperiment(TABLE3, { profile: 'smoke', rows: ['MT-CP'] }).trials;
  const losses: Record<string, object> = {
    classes: { loss: { type: 'cross_entropy' }, metric: { type: 'miou' } },
    depth: { loss: { type: 'l1_depth' }, metric: { type: 'rmse' } },
    normals: { loss: { type: 'normals' }, metric: { type: 'angular_error' } },
    binary: { loss: { type: 'balanced_bce' }, metric: { type: 'saliency' } },
  };
  const tasks = Object.fromEntries(
    Object.entries(kinds).map(([task, { kind }]) => [
      task,
      { ...trial.config.tasks.semseg, ...losses[kind], head: fixture.tasks[task].head },
    ]),
  );
  const parts = { fusion: null, interaction: null, refinement: null };
  const config = {
    ...trial.config,
    data: { type: 'authors-tasks' },
    augment: { ...trial.config.augment, size: fixture.image.slice(2) },
    model: { ...parts, ...fixture.model },
    tasks,
    scheme: { type: 'equal' },
  };
  return { ...trial, config } as TrialSpec;
}

/** Numbers by our names, from what the file has by theirs: parts of one tensor of theirs are beside each other. */
function fileOf(name: string, folder: string): string {
  const own = new Map(readFixture(name).rows.map((row) => [row.name, row.initial]));
  const tensors = names[name].map(([theirs, dimensions, ours]): [string, WritableTensor] => {
    const shape = dimensions === '' ? [] : dimensions.split('x').map(Number);
    const size = shape.reduce((product, n) => product * n, 1);
    const whole =
      ours && theirs.includes('.qkv.') && !own.has(ours)
        ? ['query', 'key', 'value'].flatMap((part) => [
            ...own.get(ours.replace('.attn.', `.attention.self.${part}.`))!,
          ])
        : undefined;
    const known = ours === null ? undefined : own.get(ours);
    const data = Float32Array.from(whole ?? known ?? new Float32Array(size).fill(7));
    return [theirs, { dtype: 'float32', shape, data }];
  });
  const path = join(folder, `${name}.safetensors`);
  writeSafetensors(path, new Map(tensors));
  return path;
}

describe("weights import of authors' whole networks", function () {
  this.timeout(120_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'mtcp-authors-'))));
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, system] of [
    ['mti-net', 'MTI-Net'],
    ['pad-net', 'PAD-Net'],
    ['invpt', 'InvPT'],
    ['mt-cp', 'MT-CP'],
    ['mt-cp-pascal', 'MT-CP'],
  ])
    it(name, async () => {
      const out = join(folder, `${name}-ours.safetensors`);
      const imported = await importSystem(fileOf(name, folder), trialOf(name), out);
      expect(imported.system).to.equal(system);
      const { tensors } = readSafetensors(out);
      const { rows } = readFixture(name);
      expect([...tensors.keys()].sort()).to.deep.equal(rows.map((row) => row.name).sort());
      for (const row of rows) expect(tensors.get(row.name)!.data, row.name).to.deep.equal(row.initial);
    });

  it('refuses a file of another network, and one that lacks a tensor; nothing is written', async () => {
    const out = join(folder, 'none.safetensors');
    const other = await rejection(importSystem(fileOf('pad-net', folder), trialOf('mti-net'), out));
    expect(other.message).to.match(/does not fit/);
    expect(other.hint).to.match(/composed as PAD-Net/);
    expect(existsSync(out)).to.equal(false);
  });
});
