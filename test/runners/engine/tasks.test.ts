// How a graph is divided among threads, and what its parts hand over.
import { expect } from 'chai';
import { Builder } from '../../../runners/engine/graph/builder.js';
import { nanosecondsOf } from '../../../runners/engine/graph/cost.js';
import { Graph, type Node, type Value } from '../../../runners/engine/graph/ir.js';
import { isView } from '../../../runners/engine/graph/lifetimes.js';
import { partName, partsOf, type Part } from '../../../runners/engine/graph/parts.js';
import { placesOf } from '../../../runners/engine/graph/places.js';
import { tasksOf } from '../../../runners/engine/graph/tasks.js';

const SIZE = 64;

/** Chains of products from one input, added up. */
function chains(count: number, length: number) {
  const graph = new Graph();
  const build = new Builder(graph);
  const x = graph.input('x', 'float32', [SIZE, SIZE]);
  const ends = Array.from({ length: count }, (_, chain) => {
    const w = graph.input(`w${chain}`, 'float32', [SIZE, SIZE]);
    let y = x;
    for (let i = 0; i < length; i++) y = build.matmul(build.binary('Add', y, w), w);
    return y;
  });
  const sum = ends.reduce((a, b) => build.binary('Add', a, b));
  return { graph, build, ends, sum };
}

const costOf = (nodes: readonly Node[]) => nodes.reduce((sum, node) => sum + nanosecondsOf(node), 0);

/** Nanoseconds that the parts take on as many threads as they like. */
function longestPath(parts: readonly Part[], tasks: readonly (readonly Node[])[]): number {
  const ends: number[] = [];
  parts.forEach(({ waits }, i) =>
    ends.push(costOf(tasks[i]) + Math.max(0, ...waits.map((wait) => ends[wait]))),
  );
  return Math.max(...ends);
}

describe('tasks of a graph', () => {
  it('hold every operator once, none of the views, and need only earlier tasks', () => {
    const { graph, build, sum } = chains(3, 20);
    const end = build.unary(
      'Exp',
      build.transpose(build.reshape(sum, [2, SIZE / 2, SIZE]), [1, 0, 2]),
      Math.exp,
    );
    const nodes = graph.reachable([end]);
    const tasks = tasksOf(nodes, 2, 50_000);
    expect(tasks.length).to.be.above(4);
    const wanted = nodes.filter((node) => !isView(node));
    expect(tasks.flat()).to.have.lengthOf(wanted.length);
    expect(wanted.every((node) => tasks.flat().includes(node))).to.equal(true);
    expect(wanted.length).to.be.below(nodes.length);
    const parts = partsOf(new Map([['y', end]]), new Map(), tasks);
    parts.forEach(({ waits }, i) => expect(waits.every((wait) => wait < i)).to.equal(true));
  });

  it('share branches among threads', () => {
    const { graph, sum } = chains(3, 40);
    const nodes = graph.reachable([sum]);
    for (const [threads, share] of [
      [2, 0.62],
      [3, 0.45],
    ]) {
      const tasks = tasksOf(nodes, threads, 100_000);
      const parts = partsOf(new Map([['y', sum]]), new Map(), tasks);
      expect(longestPath(parts, tasks) / costOf(nodes)).to.be.below(share);
    }
  });

  it('are one where a graph is too small to be divided, and do not divide a chain for nothing', () => {
    const { graph, sum } = chains(3, 2);
    expect(tasksOf(graph.reachable([sum]), 2)).to.have.lengthOf(1);
    const one = chains(1, 40);
    const nodes = one.graph.reachable([one.sum]);
    const tasks = tasksOf(nodes, 2, 100_000);
    const parts = partsOf(new Map([['y', one.sum]]), new Map(), tasks);
    parts.forEach(({ waits }, i) => expect(waits).to.deep.equal(i === 0 ? [] : [i - 1]));
  });

  it('come out the same each time', () => {
    const divided = () => {
      const { graph, sum } = chains(3, 30);
      return tasksOf(graph.reachable([sum]), 2, 50_000).map((task) =>
        task.map(({ outputs }) => outputs[0].id),
      );
    };
    expect(divided()).to.deep.equal(divided());
  });
});

describe('parts of a graph', () => {
  const graph = new Graph();
  const build = new Builder(graph);
  const x = graph.input('x', 'float32', [6]);
  const a = build.unary('Exp', x, Math.exp);
  const b = build.op('Abs', [build.reshape(a, [2, 3])], [2, 3]);
  const c = build.op('Sqrt', [build.reshape(x, [3, 2])], [3, 2]);
  const d = build.op('Softmax', [b], [2, 3]);
  const tasks = [[a.node!], [c.node!], [b.node!], [d.node!]];
  const outputs = new Map([
    ['c', c],
    ['d', d],
  ]);

  it('hand over values and not their views', () => {
    const [first, second, third] = partsOf(outputs, new Map(), tasks);
    expect([...first.outputs.values()]).to.deep.equal([a]);
    const [[name, input]] = third.inputs;
    expect(input.source).to.deep.equal({ of: 'part', value: a });
    expect(input.value.shape).to.deep.equal([2, 3]);
    expect(third.given.get(input.value)).to.equal(name);
    expect(third.waits).to.deep.equal([0]);
    // A view of an input is that input in another shape.
    const [[, own]] = second.inputs;
    expect(own.source).to.deep.equal({ of: 'whole', name: 'x' });
    expect(own.value.shape).to.deep.equal([3, 2]);
  });

  it('read from outputs of the whole what these hold anyway', () => {
    const [first, , third] = partsOf(new Map([...outputs, ['a', a]]), new Map(), tasks);
    expect([...first.outputs.keys()]).to.deep.equal(['a']);
    expect([...third.inputs.values()].map(({ source }) => source)).to.deep.equal([
      { of: 'whole', name: 'a' },
    ]);
  });

  it('take values that come from outside for inputs', () => {
    const view = b.node!.inputs[0]!;
    const [third, last] = partsOf(new Map([['d', d]]), new Map([[view, 'kept']]), [[b.node!], [d.node!]]);
    expect([...third.inputs.values()].map(({ source }) => source)).to.deep.equal([
      { of: 'whole', name: 'kept' },
    ]);
    expect(last.waits).to.deep.equal([0]);
  });
});

describe('places of what parts hand over', () => {
  const part = (waits: number[], outputs: Value[], reads: Value[]): Part => ({
    waits,
    outputs: new Map(outputs.map((value) => [partName(value), value])),
    inputs: new Map(reads.map((value) => [`read/${value.id}`, { source: { of: 'part', value }, value }])),
    given: new Map(),
  });
  const [a, b, c, d] = Array.from({ length: 4 }, (_, id): Value => ({ id, dtype: 'float32', shape: [100] }));
  const size = () => 400;

  it('are used again where all readers are done for certain', () => {
    const parts = [part([], [a], []), part([0], [b], [a]), part([1], [c], [b]), part([2], [], [c])];
    const { places, bytes } = placesOf(parts, size, 256);
    expect(bytes).to.equal(2 * 512);
    expect(places.get(c)).to.equal(places.get(a));
    expect(places.get(b)).not.to.equal(places.get(a));
  });

  it('are not used again where a reader may still be at work', () => {
    // Part 2 reads a while part 3, which does not wait for it, writes d.
    const parts = [
      part([], [a], []),
      part([0], [b], [a]),
      part([0], [c], [a]),
      part([1], [d], [b]),
      part([2, 3], [], [c, d]),
    ];
    const { places } = placesOf(parts, size, 256);
    expect(new Set([places.get(a), places.get(c), places.get(d)]).size).to.equal(3);
  });
});
