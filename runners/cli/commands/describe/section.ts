// mtcp describe train: a section of experiment files with its options.
import type { PropertySchema } from '../../../../registry/options.js';
import type { JsonSchema } from '../../../config/json-schema.js';
import { namedRows, optionRows } from '../../option-rows.js';
import { kindOf } from '../../sections.js';
import { columns, indented } from '../../text.js';

export function describeSection(name: string, section: JsonSchema): string {
  const schema = section as PropertySchema;
  const kind = kindOf(section);
  const rows = [...optionRows(schema), ...namedRows(schema)];
  return [
    `section ${name}`,
    indented(section.description ?? '', 2),
    '',
    ...(kind === undefined
      ? []
      : [`  A ${kind}: mtcp list ${kind} shows them, mtcp describe NAME the options of one.`]),
    ...(rows.length > 0 ? [columns(rows, 2)] : []),
    ...(kind === undefined && rows.length === 0 ? [`  ${name}: ${shapeOf(section)}`] : []),
  ].join('\n');
}

function shapeOf({ type, items }: JsonSchema): string {
  const name = [type ?? 'anything'].flat().join(' or ');
  return items === undefined ? name : `${name} of ${[items.type ?? 'anything'].flat().join(' or ')}`;
}
