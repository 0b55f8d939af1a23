// `path=value` arguments as overlays: dots separate keys, the value is YAML, null removes. Each is a layer
// of its own, so a later one sees what an earlier one did.
import type { Report } from './faults.js';
import type { Entry, MapNode, Node } from './nodes.js';
import { PRESENTATION, STRUCTURE } from './compose.js';
import { Source, type Mark } from './source.js';
import { parseYaml } from './yaml.js';

/** What people meant who tried to set something that is not part of a trial. */
const INSTEAD: Readonly<Record<string, string>> = {
  seeds: 'choose seeds with --seeds 0,1,2',
  rows: 'choose rows with --row "name"; an override changes every row',
  profiles: 'choose a profile with --profile name',
};
const RESERVED: ReadonlySet<string> = new Set([...PRESENTATION, ...STRUCTURE]);

export interface Overrides {
  readonly sources: readonly Source[];
  readonly layers: readonly MapNode[];
}

export function parseOverrides(texts: readonly string[], report: Report): Overrides {
  const sources: Source[] = [];
  const layers: MapNode[] = [];
  for (const text of texts) {
    const equals = text.indexOf('=');
    // Blanks in place of the path: what the YAML parser reads keeps its offsets.
    const value = ' '.repeat(equals + 1) + text.slice(equals + 1);
    const source = new Source(`argument "${text}"`, value, process.cwd(), 'argument');
    sources.push(source);
    const layer = parseOverride(source, equals < 0 ? undefined : text.slice(0, equals), report);
    if (layer) layers.push(layer);
  }
  return { sources, layers };
}

function parseOverride(source: Source, path: string | undefined, report: Report): MapNode | undefined {
  const whole: Mark = { source, start: 0, end: source.text.length, path: [] };
  const fail = (message: string, hint: string) => report({ mark: whole, message, hint });
  const keys = (path ?? '').split('.');
  if (keys.includes('')) fail('not an override', 'write path=value, for example train.epochs=3');
  else if (RESERVED.has(keys[0]))
    fail(`"${keys[0]}" is not part of a trial`, INSTEAD[keys[0]] ?? 'write it into the experiment file');
  else if (source.text.trim() === '') fail('there is no value behind "="', `write ${path}=null to remove it`);
  else {
    const value = parseYaml(source, report);
    return value && nest(keys, value, source);
  }
  return undefined;
}

/** { a: { b: value } } for keys a, b. */
function nest(keys: readonly string[], value: Node, source: Source): MapNode {
  let node = value;
  let end = keys.join('.').length;
  for (let depth = keys.length - 1; depth >= 0; depth--) {
    const start = end - keys[depth].length;
    const key: Mark = { source, start, end, path: keys.slice(0, depth + 1) };
    const entry: Entry = { key, value: node };
    node = { kind: 'map', entries: new Map([[keys[depth], entry]]), removed: new Map(), mark: key };
    end = start - 1;
  }
  return node as MapNode;
}
