// mtcp describe NAME: a component, or all of a kind, with its options.
import { usageOf } from '../../../app/authoring/component.js';
import { fullCatalog, isKind, plain, unknownKind } from '../../catalog.js';
import { catalog } from '../../../../registry/catalog.js';
import { KINDS, type ComponentEntry } from '../../../../registry/entry.js';
import { kindOf } from '../../../../registry/kinds.js';
import { MtcpError } from '../../../../registry/errors.js';
import { didYouMean, nearestNames } from '../../../../registry/support/near.js';
import { display } from '../../../config/index.js';
import { References } from '../../../reporting/paper/references.js';
import { optionRows } from '../../option-rows.js';
import { sectionOf, sections } from '../../sections.js';
import { describeSection } from './section.js';
import { columns, indented } from '../../text.js';

interface Options {
  file?: string;
  json?: boolean;
}

export async function describe(names: string[], { file, json }: Options): Promise<void> {
  await fullCatalog(file);
  const section = names.length === 1 ? sectionOf(names[0]) : undefined;
  if (
    section !== undefined &&
    !catalog.list().some(({ kind, name }) => names[0] === kind || names[0] === name)
  ) {
    process.stdout.write(`${json ? JSON.stringify(section, null, 2) : describeSection(names[0], section)}\n`);
    return;
  }
  const entries = find(names);
  if (json) process.stdout.write(`${JSON.stringify(entries.map(plain), null, 2)}\n`);
  else process.stdout.write(`${entries.map(describeEntry).join('\n\n')}\n`);
}

/** Finds components by kind and name, or by name in every kind. */
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
    ...sections(),
  ]);
  throw new MtcpError('component', `there is no component or section "${names[0]}"`, {
    where: `argument "${names[0]}"`,
    hint: near.length > 0 ? didYouMean(names[0], near) : 'mtcp list shows what there is',
  });
}

function describeEntry(entry: ComponentEntry): string {
  const { kind, name, summary, source, tasks, plugin, options } = entry;
  const needed = options.required ?? [];
  const rows = optionRows(options);
  return [
    `${kind} ${name}`,
    indented(summary, 2),
    ...(source === undefined ? [] : [indented(`Source: ${source}`, 2)]),
    ...citedAs(entry),
    ...(tasks === undefined ? [] : [`  For tasks of kind ${tasks.join(', ')}.`]),
    ...(kind === 'task'
      ? [`  Usual: ${usualOf(name)}.`, '  A task of this kind has them where a file leaves them out.']
      : []),
    ...(plugin === undefined ? [] : [`  Plugin: ${display(plugin)}`]),
    '',
    `  ${usageOf(kind, name, needed.map((option) => `, ${option}: ...`).join(''))}`,
    '',
    rows.length > 0 ? columns(rows, 2) : '  It has no options.',
  ].join('\n');
}

/** Keys in the bibliography: see `mtcp report --format bibtex`. */
function citedAs(entry: ComponentEntry): string[] {
  const keys = new References().cite({ name: `${entry.kind}/${entry.name}`, entry });
  return keys.length > 0 ? [indented(`BibTeX: ${keys.join(', ')}`, 2)] : [];
}

/** What the kind of a task is usually predicted, trained and scored with. */
const usualOf = (name: string): string =>
  Object.entries(kindOf({ kind: name }).usual)
    .map(([part, { type, ...options }]) => {
      const given = Object.entries(options).map(([option, value]) => `, ${option}: ${String(value)}`);
      return `${part} { type: ${type}${given.join('')} }`;
    })
    .join(', ');
