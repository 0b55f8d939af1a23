// mtcp list and mtcp describe: what the catalog knows.
import '../../modules/index.js';
import '../tracking/index.js';
import { catalog } from '../../registry/catalog.js';
import { KINDS, type ComponentEntry, type Kind } from '../../registry/component.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/near.js';
import type { PropertySchema } from '../../registry/options.js';
import { textTable } from '../reporting/table.js';

const isKind = (name: string): name is Kind => name in KINDS;

const plain = ({ kind, name, summary, source, options }: ComponentEntry) => ({
  kind,
  name,
  summary,
  source,
  options,
});

export function list(kind: string | undefined, { json }: { json?: boolean }): void {
  if (kind !== undefined && !isKind(kind))
    throw new MtcpError('usage', `there is no kind "${kind}"`, {
      where: `argument "${kind}"`,
      hint: didYouMean(kind, Object.keys(KINDS)),
    });
  const entries = catalog.list(kind);
  if (json) {
    process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
    return;
  }
  const kinds = kind === undefined ? (Object.keys(KINDS) as Kind[]) : [kind];
  const parts = kinds.map((each) => {
    const rows = entries
      .filter((entry) => entry.kind === each)
      .map(({ name, summary }) => [`  ${name}`, summary]);
    return `${each}: ${KINDS[each]}\n${rows.map(([name, summary]) => `${name.padEnd(18)} ${summary}`).join('\n')}`;
  });
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

export function describe(names: string[], { json }: { json?: boolean }): void {
  const entries = find(names);
  if (json) process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
  else process.stdout.write(`${entries.map(text).join('\n\n')}\n`);
}

/** By kind and name, or by name alone: then every kind that has it. */
function find(names: string[]): ComponentEntry[] {
  if (names.length === 2 && isKind(names[0])) return [catalog.get(names[0], names[1]) as ComponentEntry];
  if (names.length > 1 && !isKind(names[0]))
    throw new MtcpError('usage', `there is no kind "${names[0]}"`, {
      where: `argument "${names[0]}"`,
      hint: didYouMean(names[0], Object.keys(KINDS)),
    });
  const found = catalog.list().filter(({ name }) => name === names[0]);
  if (found.length > 0) return found;
  if (isKind(names[0])) return catalog.list(names[0]);
  throw new MtcpError('component', `there is no component "${names[0]}"`, {
    where: `argument "${names[0]}"`,
    hint: didYouMean(names[0], new Set(catalog.list().map(({ name }) => name))),
  });
}

function text({ kind, name, summary, source, options }: ComponentEntry): string {
  const lines = [`${kind} ${name}`, summary];
  if (source) lines.push(`Source: ${source}`);
  const rows = optionRows(options);
  lines.push(
    '',
    rows.length > 0
      ? textTable([{ title: 'option' }, { title: 'type' }, { title: 'default' }, { title: 'meaning' }], rows)
      : 'It has no options.',
  );
  return lines.join('\n');
}

function optionRows(schema: PropertySchema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`;
    const nested = property.properties ? optionRows(property, `${path}.`) : [];
    const shown = 'default' in property && !property.properties ? JSON.stringify(property.default) : '';
    return [[path, typeOf(property), shown, property.description ?? ''], ...nested];
  });
}

function typeOf({ type, enum: values, anyOf, items, $ref }: PropertySchema): string {
  if ($ref) return `a ${$ref.split('/').at(-1)}`;
  if (values) return values.map((value) => (value === null ? 'null' : String(value))).join(' | ');
  if (anyOf) return anyOf.map(typeOf).join(' | ');
  if (type === 'array') return `list of ${items ? typeOf(items) : 'anything'}`;
  return [type ?? 'anything'].flat().join(' | ');
}
