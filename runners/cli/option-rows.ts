// Options as rows of a table: name, what it may be and its default, meaning.
import type { PropertySchema } from '../../registry/options.js';

/** Option, what it may be and its default, meaning. */
export function optionRows(schema: PropertySchema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const nested = property.properties ? optionRows(property, `${path}.`) : namedRows(property, path);
    const standard =
      'default' in property && !property.properties
        ? `, default ${JSON.stringify(property.default).replaceAll(',', ', ')}`
        : schema.required?.includes(name)
          ? ', needed'
          : '';
    return [[path, `${typeOf(property)}${standard}`, property.description ?? ''], ...nested];
  });
}

/** Options of what has names of the user's own, such as the tasks. */
export function namedRows({ additionalProperties: each }: PropertySchema, path = ''): string[][] {
  const prefix = path === '' ? 'NAME.' : `${path}.NAME.`;
  return typeof each === 'object' && each.properties ? optionRows(each, prefix) : [];
}

function typeOf(property: PropertySchema): string {
  const { type, enum: values, anyOf, items, $ref, properties, additionalProperties } = property;
  if ($ref) return `a ${$ref.split('/').at(-1)}`;
  if (values) return values.map((value) => (value === null ? 'null' : String(value))).join(' | ');
  if (anyOf) return anyOf.map(typeOf).join(' | ');
  if (properties) return 'a map';
  if (type === 'object' && typeof additionalProperties === 'object')
    return `a map of name to ${typeOf(additionalProperties)}`;
  if (type === 'array') return `list of ${items ? typeOf(items) : 'anything'}`;
  return [type ?? 'anything'].flat().join(' | ') + bounds(property);
}

function bounds({ minimum, exclusiveMinimum, maximum }: PropertySchema): string {
  const low =
    minimum !== undefined
      ? `from ${minimum}`
      : exclusiveMinimum !== undefined
        ? `above ${exclusiveMinimum}`
        : '';
  const high = maximum === undefined ? '' : `to ${maximum}`;
  return low === '' && high === '' ? '' : ` ${[low, high].filter((part) => part !== '').join(' ')}`;
}
