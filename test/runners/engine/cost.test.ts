// What a graph costs, counted by hand.
import { expect } from 'chai';
import { Builder } from '../../../runners/engine/graph/builder.js';
import { pairwiseViews } from '../../../runners/engine/graph/broadcast.js';
import { executionOrder, flopsOf, peakBytesOf } from '../../../runners/engine/graph/cost.js';
import { Graph, ints } from '../../../runners/engine/graph/ir.js';

describe('cost of a graph', () => {
  it('counts two operations for each term of a product', () => {
    const graph = new Graph();
    const build = new Builder(graph);
    const [a, b] = [graph.input('a', 'float32', [2, 5, 3]), graph.input('b', 'float32', [2, 5, 7])];
    build.matmul(a, b, { transA: true });
    expect(flopsOf(graph.nodes)).to.equal(2 * 2 * 3 * 7 * 5);
  });

  it('counts a convolution by outputs and filter', () => {
    const graph = new Graph();
    const [x, w] = [graph.input('x', 'float32', [2, 4, 9, 9]), graph.input('w', 'float32', [6, 4, 3, 3])];
    new Builder(graph).op('Conv', [x, w], [2, 6, 7, 7], { pads: ints([0, 0, 0, 0]) });
    expect(flopsOf(graph.nodes)).to.equal(2 * (2 * 6 * 7 * 7) * (4 * 3 * 3));
  });

  it('peaks where most is held; views and outputs take nothing', () => {
    const graph = new Graph();
    const build = new Builder(graph);
    const x = graph.input('x', 'float32', [100]);
    const a = build.op('Softmax', [x], [100]);
    const view = build.reshape(a, [10, 10]);
    const b = build.op('Softmax', [view], [10, 10]);
    const c = build.op('Max', [a, build.reshape(b, [100])], [100]);
    const d = build.op('Softmax', [c], [100]);
    // a and b, then a, b and c, which is one less if c is an output.
    expect(peakBytesOf(graph.reachable([d]), new Set([d]))).to.equal(3 * 400);
    expect(peakBytesOf(graph.reachable([c]), new Set([c]))).to.equal(2 * 400);
  });

  it('writes over what is not needed again, and uses buffers again', () => {
    const graph = new Graph();
    const build = new Builder(graph);
    const x = graph.input('x', 'float32', [100]);
    const softmax = (value: typeof x) => build.op('Softmax', [value], [100]);
    const chain = build.op('Relu', [build.op('Exp', [softmax(x)], [100])], [100]);
    const end = softmax(softmax(softmax(chain)));
    const last = build.op('ReduceMax', [end], [1]);
    expect(peakBytesOf(graph.reachable([last]), new Set([last]))).to.equal(2 * 400);
  });

  it('runs depth first from what nobody reads, earliest first', () => {
    const graph = new Graph();
    const build = new Builder(graph);
    const x = graph.input('x', 'float32', [2]);
    const late = build.op('Exp', [x], [2]);
    const first = build.op('Neg', [x], [2]);
    const second = build.op('Add', [late, first], [2]);
    const names = executionOrder(graph.reachable([first, second])).map(({ op }) => op);
    expect(names).to.deep.equal(['Exp', 'Neg', 'Add']);
    const alone = build.op('Sqrt', [first], [2]);
    const order = executionOrder(graph.reachable([alone, second])).map(({ op }) => op);
    expect(order).to.deep.equal(['Exp', 'Neg', 'Add', 'Sqrt']);
  });
});

describe('views of operands that broadcast', () => {
  it('leaves small ones alone', () => {
    expect(pairwiseViews([4, 3], [3])).to.deep.equal({ views: [[4, 3], [3]] });
  });

  it("repeats a short vector along a map's own axes where these make a long run", () => {
    expect(pairwiseViews([4, 24, 32, 32], [32])).to.deep.equal({
      views: [
        [4, 24, 32, 32],
        [32, 32],
      ],
      repeat: { side: 1, from: [32], to: [32, 32] },
    });
    expect(pairwiseViews([1, 1, 32], [24, 32, 32])).to.deep.equal({
      views: [
        [1, 32, 32],
        [24, 32, 32],
      ],
      repeat: { side: 0, from: [1, 1, 32], to: [1, 32, 32] },
    });
  });

  it('repeats it for as many rows as make one otherwise', () => {
    expect(pairwiseViews([3000, 32], [32])).to.deep.equal({
      views: [[100, 960], [960]],
      repeat: { side: 1, from: [32], to: [960] },
    });
    // One for each image is not one vector.
    expect(pairwiseViews([4, 3000, 32], [4, 1, 32])).to.deep.equal({
      views: [
        [4, 100, 960],
        [4, 1, 960],
      ],
      repeat: { side: 1, from: [4, 1, 32], to: [4, 30, 32] },
    });
  });

  it('drops a trailing axis of one element', () => {
    expect(pairwiseViews([4, 96, 128, 1], []).views).to.deep.equal([[4 * 96 * 128], [1]]);
  });
});
