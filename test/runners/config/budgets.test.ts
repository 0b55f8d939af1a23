// No file takes long: neither one that is as large as the limits allow, nor one that is refused for being larger.
import { spawnSync } from 'node:child_process';
import { ftruncateSync, openSync, closeSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { DependencyGraph } from '../../../runners/config/dependency-graph.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import { FAULTS, hasTooManyValues, NODES } from '../../../runners/config/budgets.js';
import { withSources } from '../../../runners/config/sources.js';
import { HOSTILE } from './hostile.js';
import { fakeSchemas, GOOD, temporaryFolder, write } from './support.js';

/**
 * Seconds of processor time. Twice what the slowest file takes on an idle machine: other processes do not add to it, but
 * they share caches and cores, and so slow it down.
 */
const BUDGET = 1;

function seconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe('limits of experiment files', function () {
  this.timeout(60_000);
  let schemas: string;
  let file: string;
  before(() => {
    schemas = fakeSchemas();
    file = join(temporaryFolder(), 'x.yaml');
    // The validators are compiled once for the life of a process.
    writeFileSync(file, GOOD);
    expect(validateFiles([file], { schemas })).to.deep.equal([]);
  });

  for (const [what, text] of Object.entries(HOSTILE))
    it(`${what}: validated in ${BUDGET} s, with faults that can be read`, () => {
      expect(Buffer.byteLength(text)).to.be.below(1 << 20);
      writeFileSync(file, text);
      let errors: MtcpError[] = [];
      const validate = () => (errors = validateFiles([file], { schemas }));
      // A collection of somebody else's garbage may fall into one try.
      let taken = Infinity;
      for (let tries = 0; tries < 3 && taken >= BUDGET; tries++) taken = seconds(validate);
      expect(taken).to.be.below(BUDGET);
      expect(errors.length).to.be.at.most(FAULTS + 1);
      for (const error of errors) {
        expect(MtcpError.is(error)).to.equal(true);
        expect(error.format().length).to.be.below(5000);
      }
    });

  it('count aliases as often as they are used, and need no parser to see far too much', () => {
    expect(hasTooManyValues('a: 1\n'.repeat(3 * NODES))).to.equal(true);
    expect(hasTooManyValues(`${'# about\n\n'.repeat(3 * NODES)}a: 1\n`)).to.equal(false);
    const message = (what: string) => {
      writeFileSync(file, HOSTILE[what]);
      return validateFiles([file], { schemas })[0].message;
    };
    const refused = `more than ${NODES} keys and values are written here, aliases counted as often as they are used`;
    for (const what of [
      'anchors in lists, nine deep',
      'anchors in maps, eight deep',
      'a list of 100,000 numbers',
    ])
      expect(message(what), what).to.equal(refused);
    expect(message('a sweep of 10^12 rows')).to.equal('this sweep makes 1000000000000 rows, more than 10000');
    expect(message('2,000 chained variables')).to.equal(
      'more than 50 variables use each other, one inside the other',
    );
    expect(message('a chain of rows')).to.equal(
      'more than 100 rows depend on each other, one after the other',
    );
  });

  it('let rows in many layers be loaded and put in order', () => {
    writeFileSync(file, HOSTILE['rows in 22 layers, each depending on all of the next']);
    const taken = seconds(() => {
      const { trials } = loadExperiment(file, { schemas });
      expect(withSources(trials)).to.have.length(44);
    });
    expect(taken).to.be.below(BUDGET);
  });

  it('refuse pipes, devices, folders and huge files before reading them', () => {
    const folder = write({ 'x.yaml': `${GOOD}extends: there.yaml\n` });
    const there = join(folder, 'there.yaml');
    const said = () => validateFiles([join(folder, 'x.yaml')], { schemas }).map(({ message }) => message);
    expect(spawnSync('mkfifo', [there]).status).to.equal(0);
    expect(said()[0]).to.match(/there\.yaml": this is a pipe or a device, not a file$/);
    expect(validateFiles([there], { schemas })[0].message).to.equal('this is a pipe or a device, not a file');

    const zero = write({ 'x.yaml': `${GOOD}extends: there.yaml\n` });
    symlinkSync('/dev/zero', join(zero, 'there.yaml'));
    expect(validateFiles([join(zero, 'x.yaml')], { schemas })[0].message).to.contain('a pipe or a device');

    const huge = write({ 'x.yaml': `${GOOD}extends: there.yaml\n` });
    const handle = openSync(join(huge, 'there.yaml'), 'w');
    ftruncateSync(handle, 4 * 2 ** 30);
    closeSync(handle);
    expect(validateFiles([join(huge, 'x.yaml')], { schemas })[0].message).to.contain(
      'this has 4294967296 bytes, more than the 1048576 that are read',
    );
  });
});

describe('the graph of rows', () => {
  const graph = (edges: Record<string, string[]>) => new DependencyGraph(Object.entries(edges));

  it('knows circles, and the way round', () => {
    const rows = graph({ a: ['b', 'd'], b: ['c'], c: ['a'], d: ['e'], e: [], f: ['f'] });
    expect(rows.wayBack('a', 'b')).to.deep.equal(['b', 'c', 'a']);
    expect(rows.wayBack('c', 'a')).to.deep.equal(['a', 'b', 'c']);
    expect(rows.wayBack('a', 'd')).to.equal(undefined);
    expect(rows.wayBack('d', 'e')).to.equal(undefined);
    expect(rows.wayBack('f', 'f')).to.deep.equal(['f']);
  });

  it('knows the longest chain', () => {
    const rows = graph({ a: ['b', 'd'], b: ['c'], c: ['d'], d: [] });
    expect(['a', 'b', 'c', 'd'].map((row) => rows.depth(row))).to.deep.equal([4, 3, 2, 1]);
  });
});
