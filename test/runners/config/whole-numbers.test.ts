// A whole number that a JavaScript number cannot hold exactly is refused wherever one is read.
import { join } from 'node:path';
import { expect } from 'chai';
import { formatErrors } from '../../../runners/config/format.js';
import { validateFiles } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { parseCount, parseSeeds, parseWhole } from '../../../runners/cli/flags.js';
import { fakeSchemas, GOOD, write } from './support.js';

const LARGE = '9007199254740993';
const LARGEST = '9007199254740991';

describe('whole numbers above 2^53', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const said = (text: string, options: LoadOptions = {}) =>
    formatErrors(validateFiles([join(write({ 'x.yaml': text }), 'x.yaml')], { ...options, schemas }));

  it('of a file, an argument, a sweep, a report and the environment', () => {
    const refused = `${LARGE} is too large to be held exactly`;
    const wide = (value: string) => GOOD.replace('{ type: tiny }', `{ type: tiny, width: ${value} }`);
    expect(said(`${GOOD}seeds: [${LARGE}]\n`)).to.contain(refused);
    expect(said(wide(LARGE))).to.contain(refused);
    expect(said(wide('0x20000000000001'))).to.contain('0x20000000000001 is too large');
    expect(said(wide(`${LARGE}.0`))).to.contain(`${LARGE}.0 is too large`);
    expect(said(GOOD, { overrides: [`train.epochs=${LARGE}`] })).to.contain(refused);
    expect(said(GOOD, { overrides: [`seeds=[${LARGE}]`] })).to.contain(refused);
    expect(said(`${GOOD}sweep: { grid: { train.epochs: [1, ${LARGE}] } }\n`)).to.contain(refused);
    process.env.MTCP_TEST_LARGE = LARGE;
    try {
      const text = GOOD.replace('epochs: 2', 'epochs: "${n}"');
      const declared = `${text}variables: { n: { environment: MTCP_TEST_LARGE } }\n`;
      expect(said(declared)).to.contain(refused);
    } finally {
      delete process.env.MTCP_TEST_LARGE;
    }
  });

  it('also as powers, where a whole number is wanted', () => {
    expect(said(`${GOOD}seeds: [1e20]\n`)).to.contain('seeds[0] must be at most 9007199254740991');
    expect(said(GOOD.replace('epochs: 2', 'epochs: 1e20'))).to.contain('train.epochs must be at most');
  });

  it('but not the largest that is exact, numbers that need not be whole, and text', () => {
    expect(said(`${GOOD}seeds: [${LARGEST}]\n`)).to.equal('');
    expect(said(GOOD.replace('rate: 1e-3', 'rate: 1e20'))).to.equal('');
    expect(said(`${GOOD}title: "${LARGE}"\n`)).to.equal('');
  });

  it('of flags', () => {
    for (const read of [
      () => parseSeeds(`0,${LARGE}`),
      () => parseWhole(LARGE, '--width'),
      () => parseCount(LARGE, '--samples'),
    ])
      expect(read).to.throw(`"${LARGE}" is not a`);
    expect(parseSeeds(LARGEST)).to.deep.equal([Number(LARGEST)]);
  });
});
