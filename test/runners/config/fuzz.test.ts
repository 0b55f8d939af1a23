// Whatever stands in a file, the answer is trials or faults for a person, each with a place: never a crash.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { randomStream } from '../../../registry/random.js';
import { validateFiles } from '../../../runners/config/load.js';
import { fakeSchemas, GOOD, temporaryFolder } from './support.js';

const ROWS = 'rows:\n  a: &a { scheme: { type: equal } }\n  b: { tasks: { depth: null }, train: *a }\n';
const REPORT = 'report: { delta_m: { depth: a }, printed: { source: s, rows: { a: { depth.RMSE: 1 } } } }\n';
const SWEEP = `variables: { e: 2, f: { default: "\${e}", environment: MTCP_F } }
sweep: { rows: [a], grid: { train.epochs: [1, 2], scheme: { x: null } }, zip: { train.batch: ["\${e}", 2] }, cases: { c: {} }, exclude: [{ train.epochs: 1 }] }
evaluate: { batch: "\${f:-3}" }
`;
const TEXT = GOOD + ROWS + SWEEP + REPORT;
const PIECES = [
  'null',
  '{}',
  '[]',
  ': ',
  '\n',
  '  ',
  '"',
  '&x ',
  '*x',
  '- ',
  '1e999',
  '~',
  '!!str ',
  '#',
  '\t',
  '---\n',
  'type: equal',
  '0x',
  '|\n',
  '<<: *a',
  '__proto__: 1',
  'constructor: {}',
  'toString: 1',
  '"${e}"',
  '${',
  '${f:-x}',
  '.',
];

describe('any text', () => {
  it('gives trials or located faults', () => {
    const schemas = fakeSchemas();
    const file = join(temporaryFolder(), 'x.yaml');
    for (let round = 0; round < 500; round++) {
      const random = randomStream('fuzz', round);
      let text = TEXT;
      for (let change = 0; change <= random.integer(3); change++) {
        const at = random.integer(text.length);
        const cut = random.integer(2) * random.integer(25);
        const piece = random.integer(3) === 0 ? '' : PIECES[random.integer(PIECES.length)];
        text = text.slice(0, at) + piece + text.slice(at + cut);
      }
      writeFileSync(file, text);
      for (const error of validateFiles([file], { schemas })) {
        expect(MtcpError.is(error), text).to.equal(true);
        expect(error.where, text).to.match(/x\.yaml:\d+:\d+$/);
        expect(error.message, text).not.to.match(/undefined|\[object|NaN/);
      }
    }
  });
});
