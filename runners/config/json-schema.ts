// oxlint-disable unicorn/no-thenable -- "then" is a keyword of JSON Schema
// The schema files as TypeScript sees them.
import type { PropertySchema } from '../../registry/options.js';
import type { Slot } from '../../registry/container.js';

/** Draft-07 as far as these files use it. */
export interface JsonSchema extends Omit<
  PropertySchema,
  'items' | 'anyOf' | 'properties' | 'additionalProperties'
> {
  readonly $schema?: string;
  readonly title?: string;
  readonly enumDescriptions?: readonly string[];
  /** Of a choice by `type`: types that may be left out, and the options that tell them. */
  readonly bare?: Readonly<Record<string, readonly string[]>>;
  /** Of a data set: its tasks, by name the kind of each. */
  readonly taskKinds?: Readonly<Record<string, string>>;
  /** Of a kind of task: head, loss and metric where a file leaves them out. */
  readonly usual?: Readonly<Record<string, Slot>>;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly if?: JsonSchema;
  readonly then?: JsonSchema;
  readonly not?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** Whether null is one of the values, rather than only a way to leave the option out. */
export function allowsNull(schema: JsonSchema): boolean {
  if (schema.enum) return schema.enum.includes(null);
  if (schema.anyOf) return schema.anyOf.some(allowsNull);
  return [schema.type].flat().includes('null');
}
