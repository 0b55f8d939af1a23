// Text from the shell as a value: of a `path=value` argument, of an environment variable, behind `:-`. What is given is
// the value, whole: nothing in it is a comment, an anchor or a second key. Only text that is in all of its length one of
// these is read as YAML:
//
//   a number, true, false, null     train.epochs=5
//   [...] and {...}                 augment.size=[96, 128]
//   "..." and '...'                 text that looks like one of the above
import type { Fault, ReportFault } from './faults.js';
import type { YamlNode } from './nodes.js';
import type { SourceText } from './source-text.js';
import { parseYaml } from './yaml.js';

/**
 * The value of `source.text` from `start` on; undefined after a fault. Brackets around something that is no list and no
 * map are a fault of an argument, and text in an environment variable, which was not written for mtcp alone.
 */
export function readGiven(source: SourceText, report: ReportFault, start = 0): YamlNode | undefined {
  const given = source.text.slice(start);
  const asText: YamlNode = {
    kind: 'scalar',
    value: given,
    mark: { source, start, end: source.text.length, path: [] },
  };
  const trimmed = given.trim();
  const bracketed = /^(\[[^]*\]|\{[^]*\})$/.test(trimmed);
  const quoted = /^("[^]*"|'[^]*')$/.test(trimmed);
  if (!bracketed && !quoted && !/^(~|[-+.\w]+)$/.test(trimmed)) return asText;

  const faults: Fault[] = [];
  const node = parseYaml(source, (fault) => faults.push(fault));
  const { start: from, end } = node?.mark ?? { start: 0, end: 0 };
  const covers = node !== undefined && source.text.slice(from, end) === trimmed;
  const isValue = bracketed
    ? node !== undefined || source.kind === 'argument'
    : covers && node.kind === 'scalar' && (quoted || typeof node.value !== 'string');
  if (!isValue || (faults.length > 0 && bracketed && source.kind !== 'argument')) return asText;
  faults.forEach(report);
  return faults.length > 0 ? undefined : node;
}
