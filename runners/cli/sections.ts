// Sections of experiment files as their schemas have them: for `mtcp describe train`, and for completion.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../../registry/entry.js';
import type { JsonSchema } from '../config/json-schema.js';
import { SCHEMAS } from '../config/schemas.js';

const read = (name: string): JsonSchema =>
  JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8')) as JsonSchema;

/** Those of a trial, and what else is at the top of an experiment file. */
function all(): Record<string, JsonSchema> {
  return { ...read('experiment.schema.json').properties, ...read('trial.schema.json').properties };
}

export const sections = (): string[] => Object.keys(all());

/** Schema of a section; of the engine with the options of every engine. */
export function sectionOf(name: string): JsonSchema | undefined {
  const known = all();
  if (!Object.hasOwn(known, name)) return undefined;
  const section = known[name];
  const { definitions = {} } = read('trial.schema.json');
  const choices = Object.entries(definitions).filter(([key]) => key.startsWith(`${name}.`));
  const options = choices.flatMap(([key, { properties = {} }]) =>
    Object.entries(properties)
      .filter(([option]) => option !== 'type')
      .map(([option, schema]) => [`${option} (${key.slice(name.length + 1)})`, schema] as const),
  );
  if (options.length === 0) return section;
  return { ...section, properties: { ...section.properties, ...Object.fromEntries(options) } };
}

/** The kind of component that this schema asks for. */
export function kindOf(schema: JsonSchema): string | undefined {
  const refs = [schema, ...(schema.anyOf ?? [])].map(({ $ref }) => $ref);
  return refs
    .map((ref) => /index\.json#\/definitions\/(.*)$/.exec(ref ?? '')?.[1])
    .find((kind) => kind !== undefined);
}

/** What an override such as `scheme.type=` or `evaluate.mode=` may choose from: a kind of components, or values. */
export function choicesAt(path: readonly string[]): { kind: string } | { values: readonly unknown[] } {
  const [section, ...rest] = path;
  let schema = sectionOf(section);
  for (const [position, key] of rest.entries()) {
    const kind = schema && kindOf(schema);
    if (kind !== undefined) {
      if (path.at(-1) !== 'type') return { values: [] };
      if (position === rest.length - 1) return { kind };
      // Inside of a component the name of the option tells: model.backbone.encoder is an encoder.
      const inside = path.at(-2)!;
      return Object.hasOwn(KINDS, inside) ? { kind: inside } : { values: [] };
    }
    const below: JsonSchema | boolean | undefined = schema?.properties?.[key] ?? schema?.additionalProperties;
    schema = typeof below === 'object' ? below : undefined;
  }
  return { values: schema?.enum ?? [] };
}
