// Defaults live in the option schemas and are filled in here, after validation (ajv leaves out defaults
// below oneOf and if/then, where most of ours are).

/** The part of JSON Schema (draft-07) that options are written in. */
export interface PropertySchema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  /** `path`: a file or folder; a relative one is meant from the experiment file that wrote it. */
  readonly format?: 'path';
  readonly const?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly items?: PropertySchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly PropertySchema[];
  readonly properties?: Readonly<Record<string, PropertySchema>>;
  readonly additionalProperties?: boolean | PropertySchema;
  readonly required?: readonly string[];
  /** A nested component: `{ $ref: '#/definitions/<kind>' }`, resolved in the experiment schema. */
  readonly $ref?: string;
}

/** The schema of a component's options: a closed object, so that a misspelt option is an error. */
export interface OptionsSchema extends PropertySchema {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly properties: Readonly<Record<string, PropertySchema>>;
}

/** A copy of `given` with every absent option that has a default set to it, at every depth. */
export function withDefaults(
  schema: PropertySchema,
  given: Record<string, unknown>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = structuredClone(given);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!(name in filled) && 'default' in property) filled[name] = structuredClone(property.default);
    const value = filled[name];
    if (property.type === 'object' && isPlainObject(value)) filled[name] = withDefaults(property, value);
  }
  return filled;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
