// mtcp describe NAME: a component, or all of a kind, with its options.
import { usageOf } from '../../../app/authoring/component.js';
import { fullCatalog, isKind, plain, unknownKind } from '../../catalog.js';
import { catalog } from '../../../../registry/catalog.js';
import { KINDS, type ComponentEntry } from '../../../../registry/entry.js';
import { MtcpError } from '../../../../registry/errors.js';
import type { PropertySchema } from '../../../../registry/options.js';
import { didYouMean, nearestNames } from '../../../../registry/support/near.js';
import { display } from '../../../config/index.js';
import { columns, indented } from '../../text.js';

interface Options {
  file?: string;
  json?: boolean;
}

export async function describe(names: string[], { file, json }: Options): Promise<void> {
  await fullCatalog(file);
  const entries = find(names);
  if (json) process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
  else process.stdout.write(`${entries.map(describeEntry).join('\n\n')}\n`);
}

/** By kind and name, or by name alone: then every kind that has it. */
function find(names: string[]): ComponentEntry[] {
  if (names.length === 2 && isKind(names[0])) return [catalog.get(names[0], names[1]) as ComponentEntry];
  if (names.length > 1 && !isKind(names[0])) throw unknownKind(names[0]);
  if (names.length > 2)
    throw new MtcpError('usage', 'write a name, or a kind and a name', { where: `argument "${names[2]}"` });
  const found = catalog.list().filter(({ name }) => name === names[0]);
  if (found.length > 0) return found;
  if (isKind(names[0])) return catalog.list(names[0]);
  const near = nearestNames(names[0], [
    ...new Set(catalog.list().map(({ name }) => name)),
    ...Object.keys(KINDS),
  ]);
  throw new MtcpError('component', `there is no component "${names[0]}"`, {
    where: `argument "${names[0]}"`,
    hint: near.length > 0 ? didYouMean(names[0], near) : 'mtcp list shows what there is',
  });
}

function describeEntry({ kind, name, summary, source, tasks, plugin, options }: ComponentEntry): string {
  const needed = options.required ?? [];
  const rows = optionRows(options);
  return [
    `${kind} ${name}`,
    indented(summary, 2),
    ...(source === undefined ? [] : [indented(`Source: ${source}`, 2)]),
    ...(tasks === undefined ? [] : [`  For tasks of kind ${tasks.join(', ')}.`]),
    ...(plugin === undefined ? [] : [`  Plugin: ${display(plugin)}`]),
    '',
    `  ${usageOf(kind, name, needed.map((option) => `, ${option}: ...`).join(''))}`,
    '',
    rows.length > 0 ? columns(rows, 2) : '  It has no options.',
  ].join('\n');
}

/** Option, what it may be and its default, meaning. */
function optionRows(schema: PropertySchema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const nested = property.properties ? optionRows(property, `${path}.`) : [];
    const standard =
      'default' in property && !property.properties
        ? `, default ${JSON.stringify(property.default).replaceAll(',', ', ')}`
        : schema.required?.includes(name)
          ? ', needed'
          : '';
    return [[path, `${typeOf(property)}${standard}`, property.description ?? ''], ...nested];
  });
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
