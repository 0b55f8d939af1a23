// Experiment files changed at random from a seed: YAML is inserted, and parts are removed, moved and repeated. The
// result must be trials, or faults with positions, in less than a second.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { randomStream } from '../../../registry/random.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import { fakeSchemas, GOOD } from '../../runners/config/support.js';

const ROWS = 'rows:\n  a: &a { scheme: { type: equal } }\n  b: { tasks: { depth: null } }\n  c: *a\n';
const REPORT = 'report: { delta_m: { depth: a }, printed: { source: s, rows: { a: { depth.RMSE: 1 } } } }\n';
const SWEEP = `variables: { e: 2, f: { default: "\${e}", environment: MTCP_F } }
sweep: { rows: [b], grid: { train.epochs: [1, 2], scheme: { x: { type: equal } } }, zip: { train.batch: ["\${e}", 2] }, cases: { k: {} }, exclude: [{ train.epochs: 1, train.batch: 2 }] }
evaluate: { batch: "\${f:-3}" }
`;
const TEXT = GOOD + ROWS + SWEEP + REPORT;
const PIECES = [
  '&x {a: *x}',
  '*a',
  '${e}${e}',
  'constructor',
  '9007199254740993',
  '-.inf',
  '? ',
  '!!binary ',
  '%YAML 1.2\n',
  '\0',
  '\ud800',
  'extends: [x.yaml, y.yaml]\n',
  'plugins: /dev/zero\n',
  'lr: 1',
  '[1e5, 1e5]',
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

export interface YamlFigures {
  files: number;
  valid: number;
  slow: number;
  /** Everything that must not be, with the file that shows it. */
  faults: string[];
}

/** Seconds of processor time for one small file, on a busy machine. */
const SLOW = 1;

function changed(seed: number, round: number): string {
  const random = randomStream(seed, 'yaml', round);
  let text = TEXT;
  for (let change = 0; change <= random.integer(3); change++) {
    const at = random.integer(text.length);
    const length = random.integer(40);
    const piece = PIECES[random.integer(PIECES.length)];
    const stretch = text.slice(at, at + length);
    const put = [
      '',
      piece,
      piece,
      stretch.repeat(random.integer(4)),
      piece.repeat(2 ** random.integer(8)),
      TEXT.slice(random.integer(TEXT.length)).slice(0, length),
    ][random.integer(6)];
    text = text.slice(0, at) + put + text.slice(at + random.integer(2) * random.integer(25));
  }
  return text;
}

/** @param enough asked before each file, with how many there have been */
export function fuzzYaml(seed: number, enough: (files: number) => boolean): YamlFigures {
  const figures: YamlFigures = { files: 0, valid: 0, slow: 0, faults: [] };
  const folder = mkdtempSync(join(tmpdir(), 'mtcp-yaml-'));
  const schemas = fakeSchemas();
  const file = join(folder, 'x.yaml');
  try {
    for (; !enough(figures.files); figures.files++) {
      const text = changed(seed, figures.files);
      writeFileSync(file, text);
      const fail = (what: string) =>
        figures.faults.push(`seed ${seed}, file ${figures.files}: ${what}\n${text}`);
      const before = process.cpuUsage();
      try {
        const errors = validateFiles([file], { schemas });
        for (const { where = '', message } of errors) {
          if (!/(x\.yaml|zero|y\.yaml)(:\d+:\d+)?$/.test(where)) fail(`no place: ${where} ${message}`);
          if (/undefined|\[object|NaN|\[native/.test(message)) fail(message);
        }
        if (errors.length === 0) {
          figures.valid++;
          loadExperiment(file, { schemas });
        }
      } catch (error) {
        // A file that is valid as a fragment is no experiment.
        if (!MtcpError.is(error)) fail(String((error as Error).stack));
      }
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1e6 > SLOW) {
        figures.slow++;
        fail(`took ${(user + system) / 1e6} s`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return figures;
}
