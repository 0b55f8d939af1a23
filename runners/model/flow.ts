// The structure of a trial's network, found by recording its forward pass on shapes: its sections, their components,
// and the maps between them.
import type * as tf from '../../registry/tf.js';
import { ParameterTable, Pass } from '../../modules/nn/scope.js';
import { catalog } from '../../registry/catalog.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import { isPlainObject } from '../../registry/options.js';
import type { TrialSpec } from '../config/index.js';
import { sizeOf } from '../engine/graph/ir.js';
import { record } from '../engine/recording.js';
import { BLOCK_SECTIONS } from './network.js';
import { assembled } from './assemble.js';

/** One section: backbone, decoder, ..., heads. */
export interface FlowSection {
  name: string;
  /** Its component and those in its options, outermost first: "sequence", "concat", "initial". */
  types: string[];
  parameters: number;
  /** Maps that leave it, [height, width, channels]: for each task, or one list for all if `shared`. */
  maps: Record<string, number[][]>;
  shared: boolean;
  /** Whether tasks see each other's features in it. */
  exchanges: boolean;
  /** Intermediate predictions it makes in training, for each task. */
  predictions: number;
}

export interface Flow {
  image: number[];
  tasks: string[];
  sections: FlowSection[];
}

/** @throws MtcpError if parts of the network do not fit each other */
export async function flowOf(trial: TrialSpec): Promise<Flow> {
  const { config } = trial;
  const { network, tasks } = assembled(trial);
  const { size } = createTrialContainer(tasks).create('transform', config.augment);
  const table = new ParameterTable();
  const shapes = new Map<string, number[]>();
  const places = new Map<string, number>();
  await record((tracer) => {
    const image = tracer.input('image', 'float32', [1, ...size, 3]) as tf.Tensor4D;
    const pass = new Pass(table, tracer, true);
    const section = { now: '' };
    const note = () => {
      // What the pass has gathered since the last section belongs to this one.
      const seen = [...places.values()].reduce((sum, count) => sum + count, 0);
      places.set(section.now, pass.predictions.length - seen);
    };
    const encoded = network.encode(pass.root, image);
    section.now = 'backbone';
    note();
    const predictions = network.decode(pass.root, encoded, (name) => {
      section.now = name;
      note();
    });
    for (const [name, feature] of pass.features) shapes.set(name, feature().shape.slice(1));
    return predictions;
  });
  const names = tasks.map(({ name }) => name);
  const interactions = new Set(catalog.list('interaction').map(({ name }) => name));
  const countOf = (section: string) =>
    [...table.parameters]
      .filter(([name]) => name.startsWith(`${section}.`))
      .reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
  const section = (name: string, slot: Slot): FlowSection => {
    const levels = (key: string): number[][] => {
      const single = shapes.get(`${name}.${key}`);
      if (single) return [single];
      const found: number[][] = [];
      for (let i = 0; shapes.has(`${name}.${key}.${i}`); i++) found.push(shapes.get(`${name}.${key}.${i}`)!);
      return found;
    };
    const common = levels('shared');
    const types = typesOf(slot);
    return {
      name,
      types,
      exchanges: types.some((type) => interactions.has(type)) && names.length > 1,
      parameters: countOf(name),
      maps: Object.fromEntries(names.map((task) => [task, common.length > 0 ? common : levels(task)])),
      shared: common.length > 0,
      predictions: Math.round((places.get(name) ?? 0) / names.length),
    };
  };
  const sections = [section('backbone', config.model.backbone)];
  for (const name of BLOCK_SECTIONS) {
    const slot = config.model[name];
    if (slot) sections.push(section(name, slot));
  }
  sections.push({
    name: 'heads',
    types: [...new Set(names.map((task) => config.tasks[task].head.type))],
    parameters: countOf('heads'),
    maps: Object.fromEntries(names.map((task) => [task, [shapes.get(`prediction.${task}`) ?? []]])),
    shared: false,
    exchanges: false,
    predictions: 0,
  });
  return { image: [...size, 3], tasks: names, sections };
}

/** The type of a slot and of every slot in its options, in the order in which they are written. */
function typesOf(slot: Slot): string[] {
  const inner = (value: unknown): string[] => {
    if (Array.isArray(value)) return value.flatMap(inner);
    if (!isPlainObject(value)) return [];
    return typeof value.type === 'string' ? typesOf(value as Slot) : Object.values(value).flatMap(inner);
  };
  return [slot.type, ...Object.values(slot).flatMap(inner)];
}
