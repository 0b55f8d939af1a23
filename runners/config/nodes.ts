// Parsed YAML in which every value remembers its position in the text (its mark). Nodes are immutable: merging makes
// new nodes that share unchanged parts, so that a value keeps its mark through all steps of composition.
import type { Mark } from './source-text.js';

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly mark: Mark;
  /** Uses a variable that could not be filled in, which has been reported. */
  readonly unfilled?: true;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly mark: Mark;
}

export interface YamlEntry {
  readonly key: Mark;
  readonly value: YamlNode;
  /** What this one replaced; a merged map has none, its parts have. */
  readonly over?: YamlEntry;
}

/** A null that an overlay wrote over a key. */
export interface Removal {
  readonly key: Mark;
  readonly value: Mark;
  /** Whether there was something to remove. */
  readonly existed: boolean;
  readonly over?: YamlEntry;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, YamlEntry>;
  /** Keys that null removed and nothing wrote again; empty in a map as parsed, where null is a scalar. */
  readonly removed: ReadonlyMap<string, Removal>;
  readonly mark: Mark;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

export function emptyMap(mark: Mark): YamlMap {
  return { kind: 'map', entries: new Map(), removed: new Map(), mark };
}

export function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** The value of `key` if `node` is a map that has it. */
export function child(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

/** The string that `key` of this map holds, if it holds one. */
export function text(node: YamlNode | undefined, key: string): string | undefined {
  const value = child(node, key);
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined;
}

const sizes = new WeakMap<YamlNode, number>();

/** Keys and values below a node, itself included; what an alias repeats counts as often as it is there. */
export function sizeOf(node: YamlNode): number {
  if (node.kind === 'scalar') return 1;
  const known = sizes.get(node);
  if (known !== undefined) return known;
  let size = 1;
  if (node.kind === 'list') for (const item of node.items) size += sizeOf(item);
  else for (const { value } of node.entries.values()) size += 1 + sizeOf(value);
  sizes.set(node, size);
  return size;
}

/** Plain JSON of a node. */
export function toValue(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.value)]));
}

/** `value` below `keys`: { a: { b: value } }. `mark` stands for the key at each depth. */
export function nest(keys: readonly string[], value: YamlNode, mark: (depth: number) => Mark): YamlMap {
  let node = value;
  for (let depth = keys.length - 1; depth >= 0; depth--) {
    const key = mark(depth);
    const entries = new Map([[keys[depth], { key, value: node }]]);
    node = { kind: 'map', entries, removed: new Map(), mark: key };
  }
  return node as YamlMap;
}

/** What lies at a path: the node, and the mark of its key if it has one. */
export interface Place {
  readonly node: YamlNode;
  readonly key?: Mark;
}

/** Follows `path` as far as it exists; `found` tells whether all of it does. */
export function follow(root: YamlNode, path: readonly string[]): Place & { readonly found: boolean } {
  let place: Place = { node: root };
  for (const step of path) {
    let next: Place | undefined;
    if (place.node.kind === 'map') {
      const entry = place.node.entries.get(step);
      next = entry && { node: entry.value, key: entry.key };
    } else if (place.node.kind === 'list') {
      const item = place.node.items[Number(step)];
      next = item && { node: item };
    }
    if (!next) return { ...place, found: false };
    place = next;
  }
  return { ...place, found: true };
}
