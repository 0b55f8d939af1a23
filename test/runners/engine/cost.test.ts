// What a graph costs, counted by hand.
import { expect } from 'chai';
import { Builder } from '../../../runners/engine/graph/builder.js';
import { pairwiseViews } from '../../../runners/engine/graph/broadcast.js';
import { flopsOf } from '../../../runners/engine/graph/cost.js';
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

  it('repeats one for each image along the rows of its image', () => {
    expect(pairwiseViews([4, 1, 1, 32], [4, 24, 32, 32])).to.deep.equal({
      views: [
        [4, 1, 32, 32],
        [4, 24, 32, 32],
      ],
      repeat: { side: 0, from: [4, 1, 1, 32], to: [4, 1, 32, 32] },
    });
  });

  it('gives both sides as many axes where the last has one element', () => {
    expect(pairwiseViews([4, 96, 128, 1], []).views).to.deep.equal([
      [4, 96, 128, 1],
      [1, 1, 1, 1],
    ]);
  });
});
