// The origin of each value of a resolved trial: the file, layer and line that wrote it, and what it replaced.
import { where, type Mark } from './source-text.js';
import { follow, toValue, type YamlEntry, type YamlMap, type YamlNode, type Removal } from './nodes.js';

export interface Origin {
  /** `file:line:col`, an argument, an environment variable; null for a default. */
  readonly where: string | null;
  /** default, file, profile "name", row "name", sweep, argument */
  readonly layer: string;
  /** The variable that filled in the value, and who set that. */
  readonly variable?: { readonly name: string; readonly where: string };
  /** What it replaced, the last first. */
  readonly over: readonly { readonly value: unknown; readonly where: string }[];
}

/** Of the value at `path` of a merged trial; of what removed it, if a null did. */
export function originOf(root: YamlMap, path: readonly string[]): Origin {
  let node: YamlNode = root;
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    if (node.kind === 'list') {
      const item: YamlNode | undefined = node.items[Number(step)];
      if (!item) return DEFAULT;
      if (last) return described(item.mark, []);
      node = item;
      continue;
    }
    if (node.kind !== 'map') return DEFAULT;
    const entry: YamlEntry | undefined = node.entries.get(step);
    if (!entry) {
      const removal: Removal | undefined = node.removed.get(step);
      return removal ? described(removal.value, history(removal.over)) : DEFAULT;
    }
    if (last) return described(entry.value.mark, history(entry.over));
    node = entry.value;
  }
  return DEFAULT;
}

/** How likely a layer is what the reader has in mind: extended files and profiles are what is usual. */
function rankOf(mark: Mark): number {
  const layer = layerOf(mark).split(' ')[0];
  if (layer === 'file') return mark.source.extendedBy ? 0 : 1;
  return ['profile', 'file', 'row', 'sweep', 'environment', 'argument'].indexOf(layer);
}

/**
 * The key below `path` that the highest layer wrote or removed; undefined if all of it is usual. Where
 * nobody wrote the path, the nearest thing around it.
 */
export function lastChange(root: YamlMap, path: readonly string[]): Mark | undefined {
  const { node, key, found } = follow(root, path);
  if (!found) return path.length > 0 ? lastChange(root, path.slice(0, -1)) : undefined;
  let last: Mark | undefined;
  const consider = (mark: Mark | undefined) => {
    if (mark && rankOf(mark) > (last ? rankOf(last) : 0)) last = mark;
  };
  const visit = (at: YamlNode): void => {
    if (at.kind !== 'map') return;
    for (const { key, value } of at.entries.values()) {
      consider(key);
      visit(value);
    }
    for (const { key } of at.removed.values()) consider(key);
  };
  consider(key);
  visit(node);
  return last;
}

const DEFAULT: Origin = { where: null, layer: 'default', over: [] };

function described(mark: Mark, over: Origin['over']): Origin {
  const { filled } = mark;
  return {
    where: where(mark),
    layer: layerOf(mark),
    over,
    ...(filled && { variable: { name: filled.name, where: where(filled.mark) } }),
  };
}

/** file, profile "name", row "name", sweep, argument, environment */
export function layerOf({ source, path: [section, name] }: Mark): string {
  if (source.kind !== 'file') return source.kind;
  if (section === 'rows') return `row "${name}"`;
  if (section === 'profiles') return `profile "${name}"`;
  return section === 'sweep' ? 'sweep' : 'file';
}

function history(over: YamlEntry | undefined): Origin['over'] {
  const values: { value: unknown; where: string }[] = [];
  for (let at = over; at; at = at.over)
    values.push({ value: toValue(at.value), where: where(at.value.mark) });
  return values;
}
