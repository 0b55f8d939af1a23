// What comes from the shell is the value, whole: as an argument, and as an environment variable.
import { join } from 'node:path';
import { expect } from 'chai';
import type { Fault } from '../../../runners/config/faults.js';
import { readGiven } from '../../../runners/config/given.js';
import { loadExperiment } from '../../../runners/config/load.js';
import { toValue } from '../../../runners/config/nodes.js';
import { SourceText } from '../../../runners/config/source-text.js';
import { fakeSchemas, GOOD, write } from './support.js';

/** Texts in which YAML sees something else than what is written. */
const WHOLE = [
  '/data/set #2',
  '/data/set # 2',
  '#2',
  '/data/a: b',
  'a: b',
  '- a',
  '&x y',
  '*x',
  '!!str 5',
  '| x',
  '> x',
  '%TAG',
  '@here',
  '`here`',
  '---',
  '...',
  '--- 5',
  ' /two  blanks ',
  'line\nline',
  '5 # five',
  '5 6',
  '"a" and "b"',
  '"a" # "b"',
  '[a] (1)',
  '[a] b',
  '? x',
  'a,b',
  '__proto__',
];

const VALUES: [text: string, value: unknown][] = [
  ['5', 5],
  [' 5 ', 5],
  ['-1e-3', -1e-3],
  ['0x1F', 31],
  ['.5', 0.5],
  ['true', true],
  ['null', null],
  ['~', null],
  ['"5"', '5'],
  ["'it''s'", "it's"],
  ['"#2"', '#2'],
  ['[96, 128]', [96, 128]],
  ['[a, "b # c"]', ['a', 'b # c']],
  ['{ type: equal }', { type: 'equal' }],
];

function read(text: string, kind: 'argument' | 'environment'): unknown {
  const faults: Fault[] = [];
  const node = readGiven(new SourceText('x', text, '/', kind), (fault) => faults.push(fault));
  return node === undefined || faults.length > 0 ? faults : toValue(node);
}

describe('text from the shell', () => {
  for (const kind of ['argument', 'environment'] as const) {
    for (const text of WHOLE)
      it(`${kind}: ${JSON.stringify(text)} is text`, () => {
        expect(read(text, kind)).to.equal(text);
      });
    for (const [text, value] of VALUES)
      it(`${kind}: ${JSON.stringify(text)} is a value`, () => {
        expect(read(text, kind)).to.deep.equal(value);
      });
  }

  it('in brackets that hold no list is a fault of an argument and text of the environment', () => {
    expect(read('[a: b: c]', 'argument'))
      .to.have.nested.property('[0].message')
      .that.contains('not valid YAML');
    expect(read('[a: b: c]', 'environment')).to.equal('[a: b: c]');
  });

  it('reaches a trial as it was given', () => {
    const schemas = fakeSchemas();
    const folder = write({
      'x.yaml': `${GOOD.replace('{ type: embedded-rooms }', '{ type: nyud-v2, root: "${root}" }')}
variables: { root: { environment: MTCP_TEST_ROOT } }
`,
    });
    const root = (overrides: string[]) =>
      loadExperiment(join(folder, 'x.yaml'), { schemas, overrides }).trials[0].config.data.root;
    process.env.MTCP_TEST_ROOT = '/data/set #1';
    try {
      expect(root([])).to.equal('/data/set #1');
      expect(root(['data.root=/data/set #2'])).to.equal('/data/set #2');
      expect(root(['variables.root=/data/set: #3'])).to.equal('/data/set: #3');
    } finally {
      delete process.env.MTCP_TEST_ROOT;
    }
  });
});
