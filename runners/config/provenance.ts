// The origins of the values of a row's trials: for messages, `mtcp config show --origin` and comparisons.
import { follow, type YamlMap } from './nodes.js';
import { lastChange, originOf, type Origin } from './origin.js';
import { where, type Mark } from './source-text.js';

export class Provenance {
  /** @param row the row's trial sections as they were composed, with their marks */
  constructor(private readonly row: YamlMap) {}

  /** Who wrote a value, as `file:line:col` or `argument "..."`; for a default, the nearest thing around it. */
  locate(path: string | readonly string[]): string {
    return where(this.#markOf(typeof path === 'string' ? path.split('.') : path));
  }

  /** What to point at if the part at `path` is at fault: what this row changed in it, if it did, else the part. */
  blame(path: readonly string[]): Mark {
    return lastChange(this.row, path) ?? this.#markOf(path);
  }

  /** The same in full: the layer, the variable that filled it in, what it replaced. */
  origin(path: readonly string[]): Origin {
    return originOf(this.row, path);
  }

  #markOf(path: readonly string[]): Mark {
    const { node, key } = follow(this.row, path);
    return node.kind === 'map' ? (key ?? node.mark) : node.mark;
  }
}
