// `path=value` arguments as overlays. Dots separate keys. The value is text, or a number, list or map in YAML
// (given.ts); null removes the key. Each argument is a layer, so that a later one applies to the result of an earlier
// one. `seeds=...` belongs to the experiment, all others to its trials.
import type { ReportFault } from './faults.js';
import { readGiven } from './given.js';
import { nest, type YamlMap } from './nodes.js';
import { NO_KEY, NOT_SECTIONS, splitPath } from './keys.js';
import { SourceText, type Mark } from './source-text.js';

/** What people meant who tried to set something that is not part of a trial. */
const INSTEAD: Readonly<Record<string, string>> = {
  rows: 'choose rows with --row "name"; an override changes every row',
  profiles: 'choose a profile with --profile name',
  sweep: 'write it into the experiment file; to run one combination, name it with --row',
};

export interface Overrides {
  readonly sources: readonly SourceText[];
  /** Overlays on the trial sections, and how each was typed. */
  readonly layers: readonly YamlMap[];
  readonly texts: readonly string[];
  /** Overlays on the experiment itself. */
  readonly root: readonly YamlMap[];
}

export function parseOverrides(texts: readonly string[], report: ReportFault): Overrides {
  const sources: SourceText[] = [];
  const layers: YamlMap[] = [];
  const typed: string[] = [];
  const root: YamlMap[] = [];
  for (const text of texts) {
    const equals = text.indexOf('=');
    // Blanks in place of the path: what the YAML parser reads keeps its offsets.
    const value = ' '.repeat(equals + 1) + text.slice(equals + 1);
    const source = new SourceText(`argument "${text}"`, value, process.cwd(), 'argument');
    sources.push(source);
    const layer = parseOverride(source, equals < 0 ? undefined : text.slice(0, equals), report);
    if (layer?.entries.has('seeds')) root.push(layer);
    else if (layer) {
      layers.push(layer);
      typed.push(text);
    }
  }
  return { sources, layers, texts: typed, root };
}

function parseOverride(
  source: SourceText,
  path: string | undefined,
  report: ReportFault,
): YamlMap | undefined {
  const whole: Mark = { source, start: 0, end: source.text.length, path: [] };
  const fail = (message: string, hint: string) => report({ mark: whole, message, hint });
  const keys = splitPath(path ?? '');
  if (keys.includes('') || keys.includes(NO_KEY))
    fail('not an override', 'write path=value, for example train.epochs=3');
  else if (NOT_SECTIONS.has(keys[0]) && keys.join() !== 'seeds')
    fail(`"${keys[0]}" is not part of a trial`, INSTEAD[keys[0]] ?? 'write it into the experiment file');
  else if (source.text.trim() === '') fail('there is no value behind "="', `write ${path}=null to remove it`);
  else {
    const value = readGiven(source, report, path!.length + 1);
    return value && nest(keys, value, marksOf(keys, source));
  }
  return undefined;
}

/** Where each key of the path is written. */
function marksOf(keys: readonly string[], source: SourceText): (depth: number) => Mark {
  return (depth) => {
    const end = keys.slice(0, depth + 1).join('.').length;
    return { source, start: end - keys[depth].length, end, path: keys.slice(0, depth + 1) };
  };
}
