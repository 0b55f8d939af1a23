// mtcp describe FILE --row R: the structure of a row's network, as text or as a picture.
import '../../../../modules/index.js';
import { openExperiment } from '../../../config/open.js';
import { MtcpError } from '../../../../registry/errors.js';
import { writeOutput } from '../../../support/files.js';
import { flowOf, type Flow } from '../../../model/flow.js';
import { flowSvg } from '../../../reporting/flow-svg.js';
import { textTable, type Column } from '../../../reporting/table.js';

export interface DrawOptions {
  row?: string[];
  profile?: string;
  format?: string;
  out?: string;
  json?: boolean;
}

/** @param overrides `path=value` arguments */
export async function draw(
  file: string,
  overrides: readonly string[],
  { row, profile, format, out, json }: DrawOptions,
): Promise<void> {
  if (format !== undefined && !['text', 'svg'].includes(format))
    throw new MtcpError('usage', `there is no format "${format}"`, {
      where: `argument "--format ${format}"`,
      hint: 'formats: text, svg',
    });
  const { trials } = openExperiment(file, { profile, rows: row, overrides });
  const rows = [...new Map(trials.map((trial) => [trial.row, trial])).values()];
  if (format === 'svg' && rows.length > 1)
    throw new MtcpError('usage', 'a picture shows one row', {
      where: `argument "${file}"`,
      hint: `choose with --row; rows: ${rows.map((trial) => trial.row).join(', ')}`,
    });
  const flows = [];
  for (const trial of rows) flows.push({ row: trial.row, flow: await flowOf(trial) });
  const content = json
    ? `${JSON.stringify(flows, null, 2)}\n`
    : format === 'svg'
      ? flowSvg(flows[0].flow, flows[0].row)
      : flows.map(({ row: name, flow }) => `${name}\n\n${asText(flow)}`).join('\n');
  if (out === undefined) {
    process.stdout.write(content);
    return;
  }
  writeOutput(out, content);
}

function asText({ tasks, sections }: Flow): string {
  const shapes = (levels: number[][]) => levels.map((shape) => shape.join('x')).join(', ');
  const rows = sections.flatMap(({ name, types, parameters, maps, shared }) => {
    const lanes = shared || tasks.every((task) => shapes(maps[task]) === shapes(maps[tasks[0]]));
    const what = [name, types.join(' > '), parameters.toLocaleString('en')];
    return lanes
      ? [[...what, shared ? 'shared' : 'each task', shapes(maps[tasks[0]])]]
      : tasks.map((task, i) => [...(i === 0 ? what : ['', '', '']), task, shapes(maps[task])]);
  });
  const columns: Column[] = ['section', 'made of', 'parameters', 'for', 'maps'].map((title, i) => ({
    title,
    ...(i === 2 && { align: 'right' }),
  }));
  return `${textTable(columns, rows)}\n`;
}
