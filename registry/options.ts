// The options of components. A component lists its properties; `defineOptions` makes the closed schema of them, and
// `OptionsOf` the TypeScript type. An option with a default may be left out of a file and is always there for the
// component; one without a default is required; one that may be absent has the default null.
//
// Defaults live in the schema and are filled in here, after validation (ajv leaves out defaults below oneOf and
// if/then, where most of ours are).
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { own } from './own.js';

/** The part of JSON Schema (draft-07) that options are written in. */
export interface PropertySchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  /** `path`: a file or folder; a relative one is meant from the experiment file that wrote it. */
  readonly format?: 'path';
  /** Of a path: a folder that the component fills itself, never one that it is given to read. */
  readonly written?: true;
  readonly const?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly items?: PropertySchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly PropertySchema[];
  readonly properties?: Properties;
  readonly additionalProperties?: boolean | PropertySchema;
  readonly required?: readonly string[];
  /** A nested component: `{ $ref: '#/definitions/<kind>' }`, resolved in the experiment schema. */
  readonly $ref?: string;
}

/** Whether an option is a path that the component reads, and not one that it fills itself. */
export const isReadPath = ({ format, written, anyOf = [] }: PropertySchema): boolean =>
  (format === 'path' && written !== true) || anyOf.some(isReadPath);

export type Properties = Readonly<Record<string, PropertySchema>>;

/** The schema of a component's options: a closed object, so that a misspelt option is an error. */
export interface OptionsSchema extends PropertySchema {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly properties: Properties;
}

/** A component as an experiment file names it: `type` and the options of that type. */
export interface Slot {
  type: string;
  [option: string]: unknown;
}

type NeededNames<P> = { [K in keyof P & string]: P[K] extends { default: unknown } ? never : K }[keyof P &
  string];

/** The closed object of these properties; a property with properties of its own is closed likewise. */
export type ClosedSchema<P> = {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly properties: { readonly [K in keyof P]: Closed<P[K]> };
  readonly required: readonly NeededNames<P>[];
};

type Closed<P> = P extends { readonly properties: infer Q } ? Omit<P, 'properties'> & ClosedSchema<Q> : P;

/** Options from their properties: `required` is what has no default, and other names are refused. */
export function defineOptions<const P extends Properties>(properties: P): ClosedSchema<P> {
  const closed = Object.entries(properties).map(([name, property]) => [
    name,
    property.properties ? { ...property, ...defineOptions(property.properties) } : property,
  ]);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(closed),
    required: neededOf(properties),
  } as unknown as ClosedSchema<P>;
}

/** The names of the properties that have no default. */
const neededOf = (properties: Properties): string[] =>
  Object.keys(properties).filter((name) => !('default' in properties[name]));

/** The options of a component as TypeScript sees them, from the component's own schema. */
export type OptionsOf<S extends OptionsSchema> = S extends JSONSchema
  ? FromSchema<S & { readonly definitions: Readonly<Record<string, SlotSchema>> }>
  : never;

/** What `$ref` stands for in TypeScript: `Slot`. */
type SlotSchema = {
  readonly type: 'object';
  readonly properties: { readonly type: { readonly type: 'string' } };
  readonly required: readonly ['type'];
  readonly additionalProperties: {};
};

/** The schema of a hand-written one in which `required` may repeat what has a default, without these. */
export function withoutDefaulted<S extends PropertySchema>(schema: S): S {
  const { properties, required } = schema;
  if (!properties) return schema;
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, withoutDefaulted(property)]),
    ),
    ...(required && { required: required.filter((name) => !('default' in (own(properties, name) ?? {}))) }),
  };
}

/** A copy of `given` with every absent option that has a default set to it, at every depth. */
export function withDefaults(
  schema: PropertySchema,
  given: Record<string, unknown>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = structuredClone(given);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(filled, name) && 'default' in property)
      filled[name] = structuredClone(property.default);
    const value = filled[name];
    if (property.type === 'object' && isPlainObject(value)) filled[name] = withDefaults(property, value);
  }
  return filled;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
