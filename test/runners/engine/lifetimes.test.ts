// When values are in memory, counted by hand.
import { expect } from 'chai';
import { Builder } from '../../../runners/engine/graph/builder.js';
import { Graph } from '../../../runners/engine/graph/ir.js';
import { executionOrder, peakBytesOf } from '../../../runners/engine/graph/lifetimes.js';

describe('lifetimes of values', () => {
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
