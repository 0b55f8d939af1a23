// Where the values of a resolved trial come from: who wrote each one, in which layer, over what.
import { where, type Mark } from './source.js';
import { isNull, toValue, type Entry, type MapNode, type Node, type Removal } from './nodes.js';

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
export function originOf(root: MapNode, path: readonly string[]): Origin {
  let node: Node = root;
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    if (node.kind === 'list') {
      const item: Node | undefined = node.items[Number(step)];
      if (!item) return DEFAULT;
      if (last) return described(item.mark, []);
      node = item;
      continue;
    }
    if (node.kind !== 'map') return DEFAULT;
    const entry: Entry | undefined = node.entries.get(step);
    if (!entry) {
      const removal: Removal | undefined = node.removed.get(step);
      return removal ? described(removal.value, history(removal.over)) : DEFAULT;
    }
    if (last) return described(entry.value.mark, history(entry.over));
    node = entry.value;
  }
  return DEFAULT;
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

function layerOf({ source, path: [section, name] }: Mark): string {
  if (source.kind !== 'file') return source.kind;
  if (section === 'rows') return `row "${name}"`;
  if (section === 'profiles') return `profile "${name}"`;
  return section === 'sweep' ? 'sweep' : 'file';
}

function history(over: Entry | undefined): Origin['over'] {
  const values: { value: unknown; where: string }[] = [];
  for (let at = over; at; at = at.over)
    if (!isNull(at.value)) values.push({ value: toValue(at.value), where: where(at.value.mark) });
  return values;
}
