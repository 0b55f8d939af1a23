// How the name of a row says what it varies: "MT-CP, spread=7.5". A sweep names its combinations so, and arguments that
// change a row name its variant. A path is named by its shortest end that no other path has.
import { isNull, text, type YamlNode } from './nodes.js';

/** What a value is called in the name of a row. */
export function labelOf(node: YamlNode): string {
  if (isNull(node)) return 'none';
  if (node.kind === 'scalar') return String(node.value);
  if (node.kind === 'list') return `[${node.items.map(labelOf).join(', ')}]`;
  const rest = [...node.entries].filter(([name]) => name !== 'type');
  const type = text(node, 'type');
  if (type !== undefined && rest.length === 0) return type;
  const options = rest.map(([name, { value }]) => `${name} ${labelOf(value)}`).join(', ');
  return type === undefined ? `{${options}}` : `${type} {${options}}`;
}

/** Longer labels would make names that no table has room for. */
const LONGEST = 32;

/** The same in a few words, where there is only one value: of a long one its type. */
export function shortLabelOf(node: YamlNode): string {
  const label = labelOf(node);
  if (label.length <= LONGEST) return label;
  const type = node.kind === 'map' ? text(node, 'type') : undefined;
  return type === undefined ? `${label.slice(0, LONGEST - 3)}...` : `${type} {...}`;
}

/** The shortest end of each path that no other path has. */
export function shortNames(paths: readonly string[]): Map<string, string> {
  const short = (path: string): string => {
    const keys = path.split('.');
    for (let count = 1; count < keys.length; count++) {
      const end = keys.slice(-count).join('.');
      if (!paths.some((other) => other !== path && (other === end || other.endsWith(`.${end}`)))) return end;
    }
    return path;
  };
  return new Map(paths.map((path) => [path, short(path)]));
}

/** The name of a row and what is special about it. */
export const variantName = (row: string, parts: readonly string[]): string =>
  [...(row === '' ? [] : [row]), ...parts].join(', ');
