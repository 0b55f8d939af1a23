// How an overlay changes what lies below it:
//
//   maps merge           key by key, in depth; new keys come after the old ones
//   everything else      replaces: scalars, lists
//   null                 removes the key (its default then counts again)
//   another `type`       replaces the whole slot: options of one type mean nothing to another
import { emptyMap, isNull, text, type Entry, type MapNode, type Node, type Removal } from './nodes.js';

export function merge(base: MapNode, overlay: MapNode): MapNode {
  const entries = new Map<string, Entry>(base.entries);
  const removed = new Map<string, Removal>(base.removed);
  for (const [name, { key, value }] of overlay.entries) {
    const below = base.entries.get(name);
    if (isNull(value)) {
      const existed = below !== undefined || base.removed.get(name)?.existed === true;
      entries.delete(name);
      removed.set(name, { key, value: value.mark, existed });
      continue;
    }
    removed.delete(name);
    if (value.kind !== 'map') entries.set(name, { key, value });
    else if (below && mergeable(below.value, value))
      // The first writer of a merged map keeps its mark: what is missing from it was missing there already.
      entries.set(name, { key: below.key, value: merge(below.value, value) });
    else entries.set(name, { key, value: merge(emptyMap(value.mark), value) });
  }
  return { kind: 'map', entries, removed, mark: base.mark };
}

/** All layers over each other, the first at the bottom. `mark` stands for the whole. */
export function mergeAll(mark: MapNode['mark'], layers: readonly MapNode[]): MapNode {
  return layers.reduce(merge, emptyMap(mark));
}

function mergeable(below: Node, above: MapNode): below is MapNode {
  if (below.kind !== 'map') return false;
  const old = text(below, 'type');
  const now = text(above, 'type');
  return old === undefined || now === undefined || old === now;
}
