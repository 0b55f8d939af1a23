// Recomputation on a finished graph (rematerialisation, as in gradient checkpointing, Chen et al. 2016). Values that
// the forward pass computes and the backward pass reads stay in memory in between; at the end of the forward pass all
// of them are in memory at once. Many are copies, sums or normalisations of other values that stay as well. Such a
// value is dropped after its early uses and computed again, by copies of its nodes, right before its first late use.
// Results do not change: the same operators run on the same numbers.
import type { Graph, Node, Value } from './ir.js';
import { bytesOf, Lifetimes, storageOf } from './lifetimes.js';

/** Bound by memory, not by arithmetic: done in about the time it takes to read the inputs and write the output. */
const CHEAP = new Set(
  (
    'Add Sub Mul Div Neg Sqrt Reciprocal Exp Relu Sigmoid Tanh Erf Gelu Clip Abs Sign Floor Max Min Where Not ' +
    'Equal Greater GreaterOrEqual Less LessOrEqual Cast Expand Transpose Concat Split Slice Pad ' +
    'LayerNormalization Softmax LogSoftmax'
  ).split(' '),
);
/** A value this many times smaller than what is made from it may be kept longer for that. */
const SMALL = 16;
/** Values that may be made again, one from the other, for one that is dropped. */
const DEEPEST = 6;
/** Each round lowers the peak, which moves it; most of the gain is in the first few. */
const ROUNDS = 24;
const WORTHWHILE = 0.995;

/**
 * Changes `graph` so that fewer bytes of values are alive at a time.
 * @param smallest values below this many bytes are kept
 */
export function recompute(graph: Graph, outputs: readonly Value[], smallest: number): void {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const lives = new Lifetimes(graph.reachable(outputs), outputs);
    if (lives.peak > WORTHWHILE * best) return;
    best = lives.peak;
    if (dropAtPeak(graph, lives, smallest) === 0) return;
  }
}

/** @returns how many values were dropped */
function dropAtPeak(graph: Graph, { values, place, peakAt }: Lifetimes, smallest: number): number {
  const copies = new Map<Node, Node[]>();
  const dropped = new Set<Value>();
  // What a copy reads has to wait for it, in this round at least.
  const pinned = new Set<Value>();
  const waits = (value: Value, at: number) => !dropped.has(value) && (values.get(value)?.last ?? at) >= at;
  const candidates = [...values]
    .filter(
      ([value, { born, last }]) =>
        born < peakAt && last > peakAt && bytesOf(value) >= smallest && CHEAP.has(value.node!.op),
    )
    .sort(([, a], [, b]) => b.born - a.born);
  for (const [value, { readers }] of candidates) {
    if (pinned.has(value) || readers.some((node) => place.get(node) === peakAt)) continue;
    const late = readers.filter((node) => place.get(node)! > peakAt);
    const at = place.get(late[0])!;
    const recipe = recipeOf(value, (source) => waits(source, at));
    if (!recipe) continue;
    const keptLonger = [...recipe.sources].filter((source) => !waits(source, at));
    if (keptLonger.reduce((sum, source) => sum + bytesOf(source), 0) > bytesOf(value) / 2) continue;
    for (const source of recipe.sources) pinned.add(source);
    dropped.add(value);
    copies.set(late[0], [...(copies.get(late[0]) ?? []), ...readCopies(graph, late, recipe.made)]);
  }
  graph.insert(copies);
  return dropped.size;
}

/**
 * What has to be made again for `value`, itself included, and what that reads.
 * @param waits whether a value is at hand when it is wanted
 * @returns undefined if it takes more than copying and elementwise arithmetic
 */
function recipeOf(value: Value, waits: (value: Value) => boolean) {
  const [made, sources] = [new Set<Value>(), new Set<Value>()];
  const make = (wanted: Value): boolean => {
    if (!CHEAP.has(wanted.node!.op) || made.size === DEEPEST) return false;
    made.add(wanted);
    return wanted.node!.inputs.every((input) => {
      const source = input && storageOf(input);
      if (!source?.node || made.has(source) || sources.has(source)) return true;
      if (!waits(source) && bytesOf(source) * SMALL > bytesOf(value)) return make(source);
      sources.add(source);
      return true;
    });
  };
  return make(value) ? { made, sources } : undefined;
}

/** Makes `readers` read copies of what is in `made`; returns the copies' nodes, in order. */
function readCopies(graph: Graph, readers: readonly Node[], made: ReadonlySet<Value>): Node[] {
  const copies = new Map<Node, Node>();
  const copyOf = (value: Value): Value => {
    const { node } = value;
    if (!node || !made.has(storageOf(value))) return value;
    let copy = copies.get(node);
    if (!copy) {
      const inputs = node.inputs.map((input) => input && copyOf(input));
      copies.set(node, (copy = graph.copy(node, inputs)));
    }
    return copy.outputs[node.outputs.indexOf(value)];
  };
  for (const node of readers)
    graph.rewire(
      node,
      node.inputs.map((input) => input && copyOf(input)),
    );
  return [...copies.values()];
}
