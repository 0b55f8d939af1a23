// How an overlay changes the layers below it:
//
//   maps merge           key by key, in depth; new keys come after the old ones
//   everything else      replaces: scalars, lists
//   null                 removes the key; an option that may be null is null then, any other has its default
//   another `type`       replaces the whole slot: options of one type mean nothing to another
import {
  emptyMap,
  isNull,
  text,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type Removal,
} from './nodes.js';

export function merge(base: YamlMap, overlay: YamlMap): YamlMap {
  const entries = new Map<string, YamlEntry>(base.entries);
  const removed = new Map<string, Removal>(base.removed);
  for (const [name, { key, value }] of overlay.entries) {
    const below = base.entries.get(name);
    if (isNull(value)) {
      const existed = below !== undefined || base.removed.get(name)?.existed === true;
      entries.delete(name);
      removed.set(name, { key, value: value.mark, existed, over: below ?? base.removed.get(name)?.over });
      continue;
    }
    removed.delete(name);
    // The first writer of a merged map keeps its mark: what is missing from it was missing there already.
    if (value.kind === 'map' && below && mergeable(below.value, value))
      entries.set(name, { ...below, value: merge(below.value, value) });
    else
      entries.set(name, { key, value: settle(value), over: below ?? removedEntry(base.removed.get(name)) });
  }
  return { kind: 'map', entries, removed, mark: base.mark };
}

/** A null that a value is written over, as what the value replaced. */
function removedEntry(removal: Removal | undefined): YamlEntry | undefined {
  if (!removal) return undefined;
  const { key, value, over } = removal;
  return { key, value: { kind: 'scalar', value: null, mark: value }, over };
}

/** All layers over each other, the first at the bottom. `mark` stands for the whole. */
export function mergeAll(mark: YamlMap['mark'], layers: readonly YamlMap[]): YamlMap {
  return layers.reduce(merge, emptyMap(mark));
}

/** A value with nothing below it: its nulls have done their work. */
function settle(node: YamlNode): YamlNode {
  if (node.kind === 'map') return merge(emptyMap(node.mark), node);
  return node.kind === 'list' ? { ...node, items: node.items.map(settle) } : node;
}

function mergeable(below: YamlNode, above: YamlMap): below is YamlMap {
  if (below.kind !== 'map') return false;
  const old = text(below, 'type');
  const now = text(above, 'type');
  return old === undefined || now === undefined || old === now;
}
