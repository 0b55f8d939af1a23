// The generated schema files: their contents, and writing them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Catalog } from '../../registry/catalog.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { componentSchemas } from './component-schemas.js';
import type { JsonSchema } from './json-schema.js';

/** The generated files as text, name to content; `folder` holds the hand-written trial.schema.json. */
export function schemaTexts(catalog: Catalog, folder: string): Map<string, string> {
  const trial = JSON.parse(readFileSync(join(folder, 'trial.schema.json'), 'utf8')) as JsonSchema;
  const files = [...componentSchemas(catalog, trial)];
  return new Map(files.map(([name, schema]) => [name, `${JSON.stringify(schema, null, 2)}\n`]));
}

/** Brings `folder`/components up to date, removing files of components that are gone; returns how many there are. */
export function writeSchemas(catalog: Catalog, folder: string): number {
  const texts = schemaTexts(catalog, folder);
  const components = join(folder, 'components');
  makeFolder(components);
  for (const name of readdirSync(components)) if (!texts.has(name)) rmSync(join(components, name));
  for (const [name, text] of texts) writeFileSync(join(components, name), text);
  return texts.size;
}

/**
 * All schemas as one that refers to nothing outside of itself: an experiment file with every component of `catalog`.
 * Each file of `folder` is a definition named after it.
 */
export function bundledSchema(catalog: Catalog, folder: string): JsonSchema {
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonSchema;
  const trial = read('trial.schema.json');
  const files = new Map<string, JsonSchema>([['trial.schema.json', trial]]);
  for (const [name, schema] of componentSchemas(catalog, trial)) files.set(`components/${name}`, schema);
  const key = (file: string) => file.replace(/^components\//, '').replace(/(\.schema)?\.json$/, '');
  const inline = (schema: JsonSchema, document: string): JsonSchema =>
    JSON.parse(JSON.stringify(schema), (name, value: unknown) => {
      if (name !== '$ref' || typeof value !== 'string') return value;
      const [file, pointer = ''] = value.split('#');
      const target = file === '' ? document : posix.join(posix.dirname(document), file);
      return target === ROOT ? `#${pointer}` : `#/definitions/${key(target)}${pointer}`;
    }) as JsonSchema;
  const { definitions, ...root } = inline(read(ROOT), ROOT);
  const parts = [...files].map(([file, schema]) => {
    const { $schema: _, ...rest } = inline(schema, file);
    return [key(file), rest];
  });
  return { ...root, definitions: { ...definitions, ...Object.fromEntries(parts) } };
}

const ROOT = 'experiment.schema.json';
