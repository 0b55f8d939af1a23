// mtcp new experiment: copies an experiment under a new name and adjusts its relative paths, so that they lead to the
// same files as before. From a fragment, it writes a file that extends the fragment.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MtcpError } from '../../../registry/errors.js';
import { readText } from '../../../registry/support/plain-file.js';
import { didYouMean } from '../../../registry/support/near.js';
import { validateFiles } from '../../config/index.js';
import { FILE_BYTES } from '../../config/budgets.js';
import { sections } from '../../config/compose.js';
import { throwAll } from '../../config/faults.js';
import { child, text, type YamlMap, type YamlNode } from '../../config/nodes.js';
import { Schemas, SCHEMAS } from '../../config/schemas.js';
import { SourceText } from '../../config/source-text.js';
import { EXPERIMENT_NAME, NAME_RULE } from '../../config/names.js';
import { parseYaml } from '../../config/yaml.js';
import { writeNew } from './files.js';

const EXPERIMENTS = fileURLToPath(new URL('../../../../experiments/', import.meta.url));
const STANDARD = 'base/mtcp-nyud';

/** Names of the experiments and fragments that come with mtcp, without .yaml. */
export function shippedExperiments(): string[] {
  return readdirSync(EXPERIMENTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replaceAll('\\', '/').replace(/\.yaml$/, ''))
    .sort();
}

export interface NewExperiment {
  file: string;
  name: string;
  /** The file that it started from. */
  from: string;
}

/**
 * @param from a shipped experiment by name, or a file
 * @param out folder, or a file that ends in .yaml
 */
export function newExperiment(name: string, { from = STANDARD, out = '.' } = {}): NewExperiment {
  if (!EXPERIMENT_NAME.test(name))
    throw new MtcpError('usage', `"${name}" is not a name for an experiment`, {
      where: `argument "${name}"`,
      hint: NAME_RULE,
    });
  const origin = find(from);
  const file = resolve(/\.ya?ml$/.test(out) ? out : join(out, `${name}.yaml`));
  throwAll(validateFiles([origin]));
  writeNew(file, textOf(name, origin, file));
  const faults = validateFiles([file]);
  if (faults.length > 0) rmSync(file);
  throwAll(faults);
  return { file, name, from: origin };
}

function find(from: string): string {
  const shipped = join(EXPERIMENTS, `${from}.yaml`);
  if (existsSync(from) && /\.ya?ml$/.test(from)) return resolve(from);
  if (existsSync(shipped)) return shipped;
  throw new MtcpError('usage', `there is no experiment "${from}" to start from`, {
    where: `argument "--from ${from}"`,
    hint: didYouMean(from, shippedExperiments()),
  });
}

function textOf(name: string, origin: string, file: string): string {
  const written = readText(origin, { kind: 'usage', limit: FILE_BYTES });
  const source = new SourceText(origin, written, dirname(origin), 'file');
  const root = parseYaml(source, () => {}) as YamlMap;
  const schema = relativePath(join(SCHEMAS, 'experiment.schema.json'), file);
  const head = `# yaml-language-server: $schema=${schema}
# ${name}: started from ${basename(origin)}.
#
#   mtcp run ${basename(file)} --profile smoke     a few steps: does everything run?
#   mtcp plan ${basename(file)}                    rows, sizes, what is done
#   mtcp run ${basename(file)}                     train what is not done yet, print the table
`;
  if (text(root, 'name') === undefined)
    return `${head}name: ${name}
extends: ${relativePath(origin, file)}

rows: # each changes the sections of what is extended; {} changes nothing
  as it is: {}
  # mtcp list shows what can be named, mtcp describe its options
  equal weights: { scheme: { type: equal } }
`;
  const changes = [
    { node: child(root, 'name')!, value: name },
    ...(text(root, 'title') === undefined ? [] : [{ node: child(root, 'title')!, value: quoted(name) }]),
    ...pathsIn(root)
      .filter(({ value }) => !isAbsolute(value as string))
      .map((node) => ({ node, value: relativePath(resolve(dirname(origin), String(node.value)), file) })),
  ].sort((a, b) => b.node.mark.start - a.node.mark.start);
  let copy = written;
  for (const { node, value } of changes)
    copy = copy.slice(0, node.mark.start) + value + copy.slice(node.mark.end);
  return head + copy.replace(/^(#.*\n)+/, '');
}

type Text = YamlNode & { kind: 'scalar' };

/** Every relative path that a file writes: what it extends and loads, and options that are paths. */
function pathsIn(root: YamlMap): Text[] {
  const found: Text[] = [];
  const collect = (node: YamlNode | undefined): void => {
    if (node?.kind === 'list') node.items.forEach(collect);
    else if (node?.kind === 'scalar' && typeof node.value === 'string') found.push(node);
  };
  collect(child(root, 'extends'));
  collect(child(root, 'plugins'));
  const overlays = ['rows', 'profiles'].flatMap((section) => {
    const named = child(root, section);
    return named?.kind === 'map' ? [...named.entries.values()].map(({ value }) => value) : [];
  });
  const schemas = new Schemas();
  for (const overlay of [sections(root), ...overlays])
    schemas.eachMap(overlay, (map, { properties }) => {
      for (const [name, { value }] of map.entries)
        if (isPath(properties?.[name]) && value.kind === 'scalar' && !String(value.value).includes('${'))
          collect(value);
    });
  return found;
}

function isPath(schema: { format?: string; anyOf?: readonly { format?: string }[] } | undefined): boolean {
  return schema?.format === 'path' || (schema?.anyOf ?? []).some(isPath);
}

function relativePath(target: string, file: string): string {
  const path = relative(dirname(file), target).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
}

const quoted = (value: string): string => JSON.stringify(value);
