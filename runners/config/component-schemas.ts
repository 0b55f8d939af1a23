// The editor's and the validator's view of the catalog, as files below schemas/components:
//
//   <kind>.<name>.json  the options of one component, closed
//   index.json          per kind: which of them holds, by `type`
//   overlay.json        the same and the trial sections once more as files write them: partial, null allowed,
//                       slots without `type` allowed, ${variables} in place of values; in lists, which replace
//                       each other, slots are whole (whole.<kind>)
//
// Discrimination is if/then on `type`, so a fault is reported against the chosen type only.
// oxlint-disable unicorn/no-thenable -- "then" is a keyword of JSON Schema
import { createTrialContainer } from '../../registry/container.js';
import { kindOf } from '../../registry/kinds.js';
import { KINDS, type ComponentEntry, type Kind } from '../../registry/entry.js';
import { MtcpError } from '../../registry/errors.js';
import { isPlainObject, type PropertySchema } from '../../registry/options.js';
import type { JsonSchema } from './json-schema.js';
import { catalog as known, type Catalog } from '../../registry/catalog.js';
import { ALIASES } from './aliases.js';
import { throwAll } from './faults.js';
import { own } from '../../registry/own.js';

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** All generated files, name to content. Throws if a component's options cannot work in an experiment file. */
export function componentSchemas(catalog: Catalog, trial: JsonSchema): Map<string, JsonSchema> {
  throwAll(catalog.list().flatMap(optionFaults));
  const files = new Map<string, JsonSchema>();
  const index: Record<string, JsonSchema> = {};
  const overlay: Record<string, JsonSchema> = { trial: overlayOf(trial) };
  for (const [name, definition] of Object.entries(trial.definitions ?? {}))
    overlay[name] = partial(definition);
  for (const kind of Object.keys(KINDS).sort() as Kind[]) {
    const entries = catalog.list(kind);
    const fragments = entries.map(fragment);
    entries.forEach((entry, i) => files.set(`${kind}.${entry.name}.json`, fragments[i]));
    const bare = bareOf(entries);
    index[kind] = {
      ...discriminate(kind, entries, (name) => `${kind}.${name}.json`),
      ...(Object.keys(bare).length > 0 && { bare }),
    };
    overlay[kind] = partialKind(
      kind,
      entries,
      fragments.map((each) => aliased(kind, each)),
    );
    entries.forEach((entry, i) => (overlay[`${kind}.${entry.name}`] = partial(aliased(kind, fragments[i]))));
  }
  addWholes(overlay, catalog);
  files.set('index.json', { $schema: DRAFT, definitions: index });
  files.set('overlay.json', { $schema: DRAFT, definitions: overlay });
  return files;
}

/** With the other names of options, which editors then offer and accept; the loader turns them into the option's own. */
function aliased(kind: Kind, schema: JsonSchema): JsonSchema {
  const names = own(ALIASES, kind);
  if (!names) return schema;
  const known = [...names].filter(([, name]) => Object.hasOwn(schema.properties ?? {}, name));
  const others = known.map(([alias, name]) => [
    alias,
    { ...schema.properties![name], description: `The same as "${name}".` },
  ]);
  return { ...schema, properties: { ...schema.properties, ...Object.fromEntries(others) } };
}

/** What these options lack to be written, described and left out in an experiment file. */
export function optionFaults(entry: ComponentEntry): MtcpError[] {
  const visit = (schema: PropertySchema, path: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
      const at = path + name;
      const faults: string[] = [];
      if (at === 'type') faults.push('"type" names the component itself; call the option something else');
      if (property.description === undefined) faults.push(`"${at}" has no description`);
      if (!schema.required?.includes(name) && property.default === undefined)
        faults.push(`"${at}" is neither required nor has it a default`);
      return [...faults, ...visit(property, `${at}.`)];
    });
  return visit(entry.options, '').map(
    (fault) =>
      new MtcpError('component', `${entry.kind} "${entry.name}": option ${fault}`, { where: entry.file }),
  );
}

/** The options of one component as a closed schema with its `type`, and what files may leave out because of it. */
export function fragment(entry: ComponentEntry): JsonSchema {
  const { kind, name, summary, source, options } = entry;
  const { description: _, ...closed } = toIndex(options);
  return {
    $schema: DRAFT,
    title: `${kind} "${name}"`,
    description: source === undefined ? summary : `${summary} (${source})`,
    ...closed,
    ...left(entry),
    properties: { type: { description: summary, const: name }, ...closed.properties },
    required: ['type', ...(closed.required ?? [])],
  };
}

/** What files may leave out because of a component: see `usual.ts`. */
function left(entry: ComponentEntry): Pick<JsonSchema, 'taskKinds' | 'usual'> {
  const { kind, name, options } = entry;
  if (!known.list(kind).includes(entry)) return {};
  const given = (options.required ?? []).map((option) => [option, exampleOf(options.properties[option])]);
  try {
    if (kind === 'task') return { usual: { ...kindOf({ kind: name }).usual } };
    if (kind !== 'dataset') return {};
    const slot = { type: name, ...Object.fromEntries(given) };
    const { tasks } = createTrialContainer([]).create('dataset', slot);
    return { taskKinds: Object.fromEntries(tasks.map((task) => [task.name, task.kind])) };
  } catch {
    // A data set of a plugin may look at its files at once. Its tasks are written in full, then.
    return {};
  }
}

/** Some value of an option. */
function exampleOf(schema: PropertySchema): unknown {
  if (schema.enum) return schema.enum[0];
  const [type] = [schema.type ?? 'string'].flat();
  const examples: Record<string, unknown> = { integer: 1, number: 1, boolean: true, array: [], object: {} };
  return own(examples, type) ?? '.';
}

function discriminate(
  kind: Kind,
  entries: readonly ComponentEntry[],
  ref: (name: string) => string,
): JsonSchema {
  const names = entries.map((entry) => entry.name);
  const known =
    names.length > 0
      ? { enum: names, enumDescriptions: entries.map((entry) => entry.summary) }
      : { type: 'string', maxLength: 0 }; // an empty enum is not a schema
  return {
    title: kind,
    description: KINDS[kind],
    type: 'object',
    properties: { type: { title: kind, description: `Which ${kind}.`, ...known } },
    required: ['type'],
    ...(names.length > 0 && {
      allOf: names.map((name) => ({
        if: { properties: { type: { const: name } }, required: ['type'] },
        then: { $ref: ref(name) },
      })),
    }),
  };
}

/** Components that may be written without a type, with the options that tell them: those without a default. */
function bareOf(entries: readonly ComponentEntry[]): Record<string, string[]> {
  return Object.fromEntries(
    entries.filter(({ bare }) => bare).map(({ name, options }) => [name, [...(options.required ?? [])]]),
  );
}

/** The trial sections as overlays write them: partial, with `variables` beside them. */
function overlayOf(trial: JsonSchema): JsonSchema {
  const schema = partial(trial);
  const variables: JsonSchema = {
    description: 'Values used as ${name}; set here for this overlay.',
    $ref: '../experiment.schema.json#/definitions/variables',
  };
  return { ...schema, properties: { variables, ...schema.properties } };
}

/** The overlay of a kind: without a type, any option that some component of the kind has. */
function partialKind(
  kind: Kind,
  entries: readonly ComponentEntry[],
  fragments: readonly JsonSchema[],
): JsonSchema {
  const { required: _, ...kindSchema } = discriminate(
    kind,
    entries,
    (name) => `#/definitions/${kind}.${name}`,
  );
  const union: Record<string, JsonSchema> = {};
  fragments.forEach(({ properties }, i) => {
    for (const [name, { description }] of Object.entries(properties ?? {}).filter(
      ([key]) => key !== 'type',
    )) {
      const before = Object.hasOwn(union, name) ? `${union[name].description}\n\n` : '';
      union[name] = { description: `${before}${entries[i].name}: ${description ?? name}` };
    }
  });
  const untyped = {
    if: { type: 'object', not: { required: ['type'] } },
    then: { properties: union, additionalProperties: false },
  };
  const told = Object.entries(bareOf(entries)).map(([name, required]) => ({
    if: { type: 'object', required, not: { required: ['type'] } },
    then: { $ref: `#/definitions/${kind}.${name}` },
  }));
  return { ...kindSchema, type: ['object', 'null'], allOf: [...(kindSchema.allOf ?? []), ...told, untyped] };
}

/** A schema as an overlay may meet it: nothing required, null allowed; lists are replaced, so items stay whole. */
function partial(schema: JsonSchema): JsonSchema {
  const { required: _r, minProperties: _m, definitions: _d, $schema: _s, default: _v, ...rest } = schema;
  return {
    ...rest,
    ...(rest.$ref !== undefined && { $ref: toOverlay(rest.$ref) }),
    ...(rest.items && { items: whole(rest.items) }),
    ...(rest.anyOf && { anyOf: rest.anyOf.map(partial) }),
    ...(rest.allOf && { allOf: rest.allOf.map((rule) => ({ ...rule, then: partial(rule.then ?? {}) })) }),
    ...(rest.properties && {
      properties: mapValues(rest.properties, (property, name) => nullable(name, property)),
    }),
    ...(typeof rest.additionalProperties === 'object' && {
      additionalProperties: nullable('', rest.additionalProperties),
    }),
    ...(rest.type === 'object' && { type: ['object', 'null'] }),
  };
}

/** A schema of what cannot be partial, but may use variables. */
function whole(schema: JsonSchema, name = ''): JsonSchema {
  if (name === 'type') return schema;
  const { definitions: _d, $schema: _s, ...rest } = schema;
  if (rest.$ref !== undefined)
    return { ...rest, $ref: rest.$ref.replace(/^.*#\/definitions\//, `#/definitions/${WHOLE}`) };
  return variable({
    ...rest,
    ...(rest.items && { items: whole(rest.items) }),
    ...(rest.anyOf && { anyOf: rest.anyOf.map((branch) => whole(branch)) }),
    ...(rest.properties && { properties: mapValues(rest.properties, whole) }),
    ...(typeof rest.additionalProperties === 'object' && {
      additionalProperties: whole(rest.additionalProperties),
    }),
  });
}

const WHOLE = 'whole.';

/** Adds the kinds that lists of slots ask for, and those that their options ask for in turn. */
function addWholes(overlay: Record<string, JsonSchema>, catalog: Catalog): void {
  const wanted = () =>
    [...JSON.stringify(overlay).matchAll(/#\/definitions\/whole\.([a-z]+)"/g)]
      .map(([, kind]) => kind as Kind)
      .filter((kind) => !Object.hasOwn(overlay, WHOLE + kind));
  for (let kinds = wanted(); kinds.length > 0; kinds = wanted())
    for (const kind of new Set(kinds)) {
      const entries = catalog.list(kind);
      overlay[WHOLE + kind] = discriminate(kind, entries, (name) => `#/definitions/${WHOLE}${kind}.${name}`);
      for (const entry of entries) overlay[`${WHOLE}${kind}.${entry.name}`] = whole(fragment(entry));
    }
}

function nullable(name: string, property: JsonSchema): JsonSchema {
  // A default that is null or a map is no help in an editor, and yaml-language-server stumbles over null.
  const { default: standard } = property;
  const showDefault = standard !== undefined && standard !== null && !isPlainObject(standard);
  const schema = { ...partial(property), ...(showDefault && { default: property.default }) };
  if (name === 'type' || schema.$ref !== undefined) return schema;
  if (schema.anyOf)
    return variable({
      ...schema,
      anyOf: [...schema.anyOf.filter(({ type }) => type !== 'null'), { type: 'null' }],
    });
  return variable({
    ...schema,
    ...(schema.type !== undefined && { type: [...new Set([schema.type, 'null'].flat())] }),
    ...(schema.enum && { enum: [...new Set([...schema.enum, null])] }),
  });
}

const USE = '\\$\\{';

/** The same, or a string that uses a variable, whose value only the loader knows. */
function variable(schema: JsonSchema): JsonSchema {
  const { type, enum: values, anyOf, ...rest } = schema;
  if (anyOf) {
    const open = anyOf.some((branch) => branch.type === 'string' && !branch.pattern && !branch.enum);
    return open || anyOf.some(({ $ref }) => $ref)
      ? schema
      : { ...schema, anyOf: [...anyOf, { type: 'string', pattern: USE }] };
  }
  if (values) return { ...rest, anyOf: [{ enum: values }, { type: 'string', pattern: USE }] };
  const types = type === undefined ? [] : [type].flat();
  if (types.length === 0 || types.includes('string') || types.includes('object')) return schema;
  const items = schema.items && {
    items: schema.items.$ref === undefined ? variable(schema.items) : schema.items,
  };
  return { ...schema, ...items, type: [...types, 'string'], pattern: USE };
}

const toOverlay = (ref: string) => ref.replace(/^.*#\/definitions\//, '#/definitions/');
/** A copy with every $ref to a kind, at any depth, going through index.json: the whole component, not an overlay. */
function toIndex(schema: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string'
      ? value.replace(/^.*#\/definitions\//, 'index.json#/definitions/')
      : value,
  ) as JsonSchema;
}

function mapValues<V, W>(
  record: Readonly<Record<string, V>>,
  change: (value: V, key: string) => W,
): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
