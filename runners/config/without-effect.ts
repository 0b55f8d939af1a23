// Finds values without effect: every row that was examined has another value at the same path. Reported as warnings,
// and only for the file itself: the files that it extends contain values that are meant to be replaced.
import { isDeepStrictEqual } from 'node:util';
import { sections, type Composition } from './compose.js';
import { dotted } from './explain.js';
import type { Faults } from './faults.js';
import { child, toValue, type YamlMap, type YamlNode } from './nodes.js';
import { layerOf } from './origin.js';
import { where, type Mark } from './source-text.js';
import type { Draft } from './validate.js';

/** A value as a file writes it, with its path in the trial. */
interface Written {
  readonly path: readonly string[];
  readonly key: Mark;
  readonly value: YamlNode;
}

/** What a trial has instead. */
interface Winner {
  readonly mark: Mark;
  readonly value: unknown;
}

/** Layers that are there to replace what files say. */
const CHOSEN: ReadonlySet<string> = new Set(['sweep', 'argument', 'environment']);

/** Places named in a warning. */
const FEW = 3;

/**
 * Warns of values of the file's own that none of the drafts has.
 * @param complete whether every profile was looked at: what is replaced in one may count in another
 */
export function warnOfValuesWithoutEffect(
  { files }: Composition,
  drafts: readonly Draft[],
  complete: boolean,
  faults: Faults,
): void {
  const own = files.at(-1)!;
  const effective = effectiveMarks(drafts);
  const looked = new Set(drafts.map(({ profile }) => profile));
  const layers = [
    sections(own),
    ...overlaysOf(own, 'profiles').flatMap(([name, overlay]) => (looked.has(name) ? [overlay] : [])),
    ...overlaysOf(own, 'rows').map(([, overlay]) => overlay),
  ];
  for (const written of layers.flatMap((layer) => leavesOf(layer)))
    if (!effective.has(written.value.mark)) report(written);

  function report({ path, key, value }: Written): void {
    const winners = drafts.map(({ merged }) => winnerAt(merged, path));
    if (winners.some(({ mark }) => CHOSEN.has(layerOf(mark)))) return;
    if (!complete && winners.some(({ mark }) => mark.source === own.mark.source)) return;
    if (winners.every((winner) => isDeepStrictEqual(winner.value, toValue(value)))) return;
    const places = [...new Set(winners.map(({ mark }) => placeOf(mark)))];
    const more = places.length > FEW ? ` and ${places.length - FEW} more` : '';
    faults.warn({
      mark: key,
      message: `${dotted(path)} has no effect: every row has another value`,
      hint: `from ${places.slice(0, FEW).join(', ')}${more}`,
    });
  }
}

function overlaysOf(file: YamlMap, section: 'rows' | 'profiles'): [string, YamlMap][] {
  const named = child(file, section);
  const entries = named?.kind === 'map' ? [...named.entries] : [];
  return entries.flatMap(([name, { value }]): [string, YamlMap][] =>
    value.kind === 'map' ? [[name, value]] : [],
  );
}

/** Marks of all scalars, lists and nulls that make up the drafts. */
function effectiveMarks(drafts: readonly Draft[]): Set<Mark> {
  const marks = new Set<Mark>();
  // Drafts share most of their parts.
  const seen = new Set<YamlNode>();
  const visit = (node: YamlNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind !== 'map') marks.add(node.mark);
    else {
      for (const { value } of node.entries.values()) visit(value);
      for (const { value } of node.removed.values()) marks.add(value);
    }
  };
  for (const { merged } of drafts) visit(merged);
  return marks;
}

/** Scalars and lists at every depth. */
function leavesOf(map: YamlMap, path: readonly string[] = []): Written[] {
  return [...map.entries].flatMap(([name, { key, value }]): Written[] => {
    const at = [...path, name];
    return value.kind === 'map' ? leavesOf(value, at) : [{ path: at, key, value }];
  });
}

/** The value at `path`, or the value that replaced something around it. */
function winnerAt(root: YamlMap, path: readonly string[]): Winner {
  let node: YamlNode = root;
  for (const step of path) {
    if (node.kind !== 'map') break;
    const removal = node.removed.get(step);
    if (removal) return { mark: removal.value, value: null };
    const next: YamlNode | undefined = child(node, step);
    if (!next) break;
    node = next;
  }
  return { mark: node.mark, value: toValue(node) };
}

function placeOf(mark: Mark): string {
  const layer = layerOf(mark);
  return layer === 'file' ? where(mark) : `${layer} (${where(mark)})`;
}
