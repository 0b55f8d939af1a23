// A catalog of made-up components, so that these tests do not change when real ones do, and a folder of
// schemas generated from it.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Catalog } from '../../../registry/catalog.js';
import type { ComponentEntry, Kind } from '../../../registry/entry.js';
import { withoutDefaulted, type OptionsSchema, type PropertySchema } from '../../../registry/options.js';
import { writeSchemas } from '../../../runners/config/schema-files.js';
import { SCHEMAS } from '../../../runners/config/schemas.js';

/** The repository's folder of these tests; compiled tests lie elsewhere. */
export const HERE = fileURLToPath(new URL('../../../../test/runners/config/', import.meta.url));

class Fake {}

export function fake(
  kind: Kind,
  name: string,
  properties: Record<string, PropertySchema> = {},
  required: string[] = [],
): ComponentEntry {
  const options: OptionsSchema = { type: 'object', properties, required, additionalProperties: false };
  return {
    kind,
    name,
    summary: `A made-up ${kind}.`,
    options: withoutDefaulted(options),
    create: Fake as ComponentEntry['create'],
    file: `fake/${name}.ts`,
  };
}

const count = (description: string, value?: number): PropertySchema => ({
  description,
  type: 'integer',
  minimum: 1,
  ...(value !== undefined && { default: value }),
});
const size: PropertySchema = {
  description: 'Height and width in pixels.',
  type: 'array',
  items: { type: 'integer', minimum: 1 },
  minItems: 2,
  maxItems: 2,
  default: [96, 128],
};
const nested = (kind: Kind, description: string): PropertySchema => ({
  description,
  $ref: `#/definitions/${kind}`,
});

export function fakeComponents(): ComponentEntry[] {
  return [
    fake('dataset', 'embedded-rooms', {
      train: count('Training rooms.', 240),
      val: count('Validation rooms.', 60),
      size,
    }),
    fake(
      'dataset',
      'nyud-v2',
      { root: { description: 'Folder of the data set.', type: 'string', format: 'path' } },
      ['root'],
    ),
    fake('transform', 'sv', {
      size,
      flip: { description: 'Mirror half of the samples.', type: 'boolean', default: true },
    }),
    fake('backbone', 'tiny', { width: count('Channels of the finest level.', 16) }),
    fake('backbone', 'swin', {
      variant: { description: 'Size of the network.', enum: ['tiny', 'small'], default: 'small' },
      weights: {
        description: 'Checkpoint to start from.',
        type: ['string', 'null'],
        format: 'path',
        default: null,
      },
    }),
    fake('backbone', 'per-task', { encoder: nested('backbone', 'The encoder that each task gets.') }, [
      'encoder',
    ]),
    fake('decoder', 'pyramid', {
      depths: {
        description: 'Blocks per stage.',
        type: 'array',
        items: { type: 'integer' },
        default: [1, 2, 1],
      },
    }),
    fake('fusion', 'fpn', { channels: count('Channels of the merged map.', 256) }),
    fake('interaction', 'cfm', {
      merge: {
        description: 'How features are merged.',
        enum: ['affinity', 'channel', null],
        default: 'affinity',
      },
      cosine: {
        description: 'Weight of the cosine term; "auto" balances it.',
        anyOf: [{ type: 'number', minimum: 0 }, { enum: ['auto'] }],
        default: 1,
      },
    }),
    fake(
      'interaction',
      'chain',
      {
        parts: {
          description: 'Interactions, one after the other.',
          type: 'array',
          items: { $ref: '#/definitions/interaction' },
        },
      },
      ['parts'],
    ),
    fake('refinement', 'srm', { channels: count('Channels inside.', 256) }),
    fake('head', 'conv', { hidden: count('Channels of the hidden layer.', 64) }),
    fake('loss', 'cross-entropy'),
    fake('loss', 'l1', {
      normalize: { description: 'Normalise vectors first.', type: 'boolean', default: false },
    }),
    fake(
      'loss',
      'sum',
      {
        a: nested('loss', 'One term.'),
        b: {
          description: 'Another.',
          anyOf: [{ $ref: '#/definitions/loss' }, { type: 'null' }],
          default: null,
        },
      },
      ['a'],
    ),
    fake('metric', 'miou'),
    fake('metric', 'rmse', {
      limit: {
        description: 'Labels beyond do not count.',
        type: ['number', 'null'],
        exclusiveMinimum: 0,
        default: null,
      },
    }),
    fake('metric', 'angle'),
    fake(
      'scheme',
      'floor',
      {
        least: { description: 'No weight is below; null: no bound.', type: ['number', 'null'], default: 0 },
        most: { description: 'No weight is above; null: no bound.', type: ['number', 'null'] },
      },
      ['most'],
    ),
    fake('scheme', 'equal'),
    fake('scheme', 'dwa', {
      temperature: {
        description: 'Softness of the softmax over loss ratios.',
        type: 'number',
        exclusiveMinimum: 0,
        default: 2,
      },
    }),
    fake(
      'scheme',
      'fixed',
      {
        weights: {
          description: 'Weight of each task.',
          type: 'object',
          additionalProperties: { type: 'number' },
        },
      },
      ['weights'],
    ),
    fake(
      'optimizer',
      'adamw',
      {
        rate: { description: 'Base learning rate.', type: 'number', exclusiveMinimum: 0 },
        decay: { description: 'Weight decay.', type: 'number', minimum: 0, default: 0.0001 },
      },
      ['rate', 'decay'],
    ),
    fake('schedule', 'constant'),
    fake('schedule', 'poly', { power: { description: 'Exponent.', type: 'number', default: 0.9 } }),
  ];
}

export function fakeCatalog(): Catalog {
  const catalog = new Catalog();
  for (const entry of fakeComponents()) catalog.add(entry);
  return catalog;
}

/** Schemas of the made-up components beside the real hand-written ones. */
export function fakeSchemas(): string {
  const folder = temporaryFolder();
  for (const name of ['trial.schema.json', 'experiment.schema.json'])
    copyFileSync(join(SCHEMAS, name), join(folder, name));
  writeSchemas(fakeCatalog(), folder);
  return folder;
}

const folders: string[] = [];

/** Removed when the tests end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-config-'));
  if (folders.push(folder) === 1)
    process.once('exit', () => folders.forEach((each) => rmSync(each, { recursive: true })));
  return folder;
}

/** Writes files below a new temporary folder and returns it. */
export function write(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A complete experiment with three tasks and nothing wrong. */
export const GOOD = `name: good
data: { type: embedded-rooms }
augment: { type: sv }
tasks:
  semseg: { head: { type: conv }, loss: { type: cross-entropy }, metric: { type: miou } }
  depth: { head: { type: conv }, loss: { type: l1 }, metric: { type: rmse } }
  normals: { head: { type: conv }, loss: { type: l1, normalize: true }, metric: { type: angle } }
model:
  backbone: { type: tiny }
  decoder: { type: pyramid }
  interaction: { type: cfm }
scheme: { type: dwa, temperature: 3 }
optimizer: { type: adamw, rate: 1e-3 }
schedule: { type: poly }
train: { epochs: 2, batch: 4 }
`;
