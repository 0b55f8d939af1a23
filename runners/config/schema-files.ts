// The generated schemas as files: what they should say, and writing them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../../registry/catalog.js';
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
  mkdirSync(components, { recursive: true });
  for (const name of readdirSync(components)) if (!texts.has(name)) rmSync(join(components, name));
  for (const [name, text] of texts) writeFileSync(join(components, name), text);
  return texts.size;
}
