// Proposals of a search: random points, and those of Optuna.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { optunaPoints } from '../../../../runners/app/search/optuna.js';
import { randomPoints } from '../../../../runners/app/search/propose.js';
import type { Point, SearchSpec } from '../../../../runners/config/index.js';
import { importances, ranked, type SearchResult } from '../../../../runners/reporting/search.js';
import { readersPython } from '../../../support/python/python.js';

const SPEC = {
  type: 'tpe',
  seed: 0,
  startup: 4,
  over: [
    { kind: 'range', path: 'o.rate', name: 'rate', from: 1e-4, to: 1, log: true, step: null },
    { kind: 'range', path: 'o.size', name: 'size', from: 1, to: 9, log: false, step: 2 },
    { kind: 'choice', path: 'o.kind', name: 'kind', choices: [{ label: 'a' }, { label: 'b' }] },
  ],
} as unknown as SearchSpec;

const resultOf = (points: readonly Point[], score: (point: Point) => number | undefined): SearchResult => ({
  over: SPEC.over,
  type: 'tpe',
  objective: 'score',
  better: 'lower',
  trials: points.map((point, i) => ({
    index: i + 1,
    row: `row ${i + 1}`,
    point,
    score: score(point),
    states: [score(point) === undefined ? 'failed' : 'done'],
    epochs: 3,
    halved: false,
  })),
});

/** Smallest at a rate of 0.01 with kind b. */
const bowl = (point: Point): number =>
  (Math.log10(Number(point['o.rate'])) + 2) ** 2 + (point['o.kind'] === 'b' ? 0 : 3);

describe('proposals of a search', () => {
  it('at random are the same for a seed and an index, and do not come twice', () => {
    const all = randomPoints(SPEC, [], [1, 2, 3, 4]);
    expect(randomPoints(SPEC, all.slice(0, 2), [3, 4])).to.deep.equal(all.slice(2));
    expect(randomPoints({ ...SPEC, seed: 1 }, [], [1])).not.to.deep.equal(all.slice(0, 1));
    for (const point of all) expect([1, 3, 5, 7, 9]).to.include(point['o.size']);
    const small = { ...SPEC, over: [SPEC.over[2]] };
    const two = randomPoints(small, [], [1, 2]).map((point) => point['o.kind']);
    expect(two.sort()).to.deep.equal(['a', 'b']);
    // A space that is used up ends no search.
    expect(randomPoints(small, [], [1, 2, 3])).to.have.length(3);
  });

  it('importance is what the score depends on', () => {
    const points = randomPoints(
      SPEC,
      [],
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    const [first] = importances(resultOf(points, (point) => Math.log(Number(point['o.rate']))));
    expect(first).to.deep.equal({ name: 'rate', value: 1 });
    const [kind] = importances(resultOf(points, (point) => (point['o.kind'] === 'a' ? 1 : 2)));
    expect(kind.name).to.equal('kind');
    expect(kind.value).to.be.closeTo(1, 1e-9);
    expect(importances(resultOf(points.slice(0, 3), bowl))).to.deep.equal([]);
  });

  it('the best come first, and those that ended early behind', () => {
    const points = randomPoints(SPEC, [], [1, 2, 3]);
    const { trials, ...rest } = resultOf(points, (point) => (point === points[0] ? undefined : bowl(point)));
    const early = { ...trials[1], index: 9, score: -1, epochs: 1, halved: true };
    expect(
      ranked({ ...rest, trials: [...trials, early] })
        .map(({ index }) => index)
        .at(-1),
    ).to.equal(9);
    expect(ranked({ ...rest, trials })).to.have.length(2);
  });

  it('without Optuna the message says what to do', async () => {
    const before = process.env.MTCP_PYTHON;
    process.env.MTCP_PYTHON = '/nowhere/python';
    try {
      const error = await optunaPoints(
        SPEC,
        mkdtempSync(join(tmpdir(), 'mtcp-search-')),
        resultOf([], bowl),
        [1],
      ).catch((reason: Error & { hint?: string }) => reason);
      expect(error).to.be.instanceOf(Error).and.to.have.property('hint').that.contains('pip install optuna');
    } finally {
      if (before === undefined) delete process.env.MTCP_PYTHON;
      else process.env.MTCP_PYTHON = before;
    }
  });

  it('by Optuna gather where scores are good, and survive the loss of its storage', async function () {
    process.env.MTCP_PYTHON = await readersPython(this);
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-search-'));
    try {
      const points: Point[] = [];
      const failing = (point: Point) => (point === points[1] ? undefined : bowl(point));
      for (let round = 0; round < 6; round++) {
        if (round === 3) rmSync(join(folder, 'optuna.log'));
        const indices = Array.from({ length: 5 }, (_, i) => points.length + i + 1);
        points.push(...(await optunaPoints(SPEC, folder, resultOf(points, failing), indices)));
      }
      expect(points).to.have.length(30);
      for (const point of points) expect([1, 3, 5, 7, 9]).to.include(point['o.size']);
      const mean = (some: readonly Point[]) =>
        some.reduce((sum, point) => sum + bowl(point), 0) / some.length;
      expect(mean(points.slice(-10))).to.be.below(0.7 * mean(points.slice(0, 10)));
    } finally {
      delete process.env.MTCP_PYTHON;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
