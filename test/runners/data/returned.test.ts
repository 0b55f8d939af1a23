// Data sets and transforms that return what cannot be stacked are refused by name, before anything trains on it.
import { expect } from 'chai';
import '../../../modules/index.js';
import type { DatasetInfo, MapData, Sample } from '../../../registry/contracts/data.js';
import { requireIds, requireInfo, requireSample } from '../../../runners/data/returned.js';
import { MtcpError } from '../../../registry/errors.js';

function fault(action: () => void): MtcpError {
  try {
    action();
  } catch (error) {
    if (MtcpError.is(error)) return error;
    throw error;
  }
  throw new Error('accepted');
}

const map = (
  height: number,
  width: number,
  channels: number,
  length = height * width * channels,
): MapData => ({
  height,
  width,
  channels,
  data: new Float32Array(length),
});
const TASKS = [{ name: 'depth', kind: 'depth', channels: 1 }] as const;
const sample = (image = map(2, 3, 3), depth: MapData | undefined = map(2, 3, 1)) =>
  ({ id: 'a', image, labels: { depth } }) as unknown as Sample;
const said = (given: unknown, size?: [number, number]) =>
  fault(() => requireSample('load of data set "x"', 'a', given as Sample, TASKS, size));

describe('what data sets and transforms return', () => {
  it('passes if it is whole', () => {
    requireSample('x', 'a', sample(), TASKS, [2, 3]);
    requireIds('x', ['a']);
    requireInfo('x', { caption: '', digest: '', notes: [], counts: { train: 1, val: 1 }, root: '' });
  });

  for (const [what, given, message] of [
    ['nothing', undefined, 'returns no sample'],
    ['no image', { id: 'a', labels: {} }, 'returns no image'],
    ['no label', { ...sample(), labels: {} }, 'returns no label of depth'],
    ['grey images', sample(map(2, 3, 1)), 'returns image, 2x3x1'],
    ['too few numbers', sample(map(2, 3, 3, 5)), 'returns image, 2x3x3, with 5 numbers'],
    ['too many numbers', sample(undefined, map(2, 3, 1, 7)), 'returns label of depth, 2x3x1, with 7 numbers'],
  ] as const)
    it(`${what} is a fault`, () => {
      const { message: text, where } = said(given);
      expect(text).to.equal(`load of data set "x" ${message}`);
      expect(where).to.equal('sample a');
    });

  it('another size than the transform says is a fault', () => {
    expect(said(sample(), [2, 4]).hint).to.equal('it must return maps of its own size, 2x4');
  });

  it('lists and descriptions that are none are faults', () => {
    expect(fault(() => requireIds('data set "x"', undefined!)).message).to.equal(
      'ids of data set "x" returns no list of names',
    );
    expect(fault(() => requireInfo('data set "x"', undefined as unknown as DatasetInfo)).message).to.equal(
      'prepare of data set "x" returns no such thing',
    );
  });
});
