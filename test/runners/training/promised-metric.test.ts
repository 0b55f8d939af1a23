// A metric that works on images later, as odsF does in its threads: the numbers of a run are those of one that does not, and it
// is closed in the end, also where it fails.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import '../../../modules/index.js';
import { runExperiment } from '../../../runners/app/run.js';
import { experimentFile, temporaryFolder } from '../../support/rooms.js';

const METRIC = `import { define } from 'mtcp/registry';
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
// Trials have processes of their own.
const note = (what) => appendFileSync(fileURLToPath(new URL('notes.txt', import.meta.url)), what + '\\n');
define({
  kind: 'metric',
  name: 'promised',
  summary: 'Mean absolute error, sooner or later.',
  file: import.meta.url,
  options: {
    type: 'object',
    additionalProperties: false,
    properties: { late: { type: 'boolean', default: false, description: 'Later.' }, fails: { type: 'boolean', default: false, description: 'Fails.' } },
  },
  create: ({ options: { late, fails } }) => ({
    values: [{ name: 'error', unit: 'm', better: 'lower', primary: true }],
    start(task, threads) {
      if (threads) note('threads ' + threads);
      const work = [];
      let open = 0;
      const error = (prediction, label) =>
        prediction.reduce((sum, value, p) => sum + Math.abs(value - label[p]), 0);
      return {
        update(prediction, label, id) {
          if (typeof id !== 'string') throw new Error('no id');
          if (!late) return void work.push(error(prediction.data, label.data));
          const copies = [prediction.data.slice(), label.data.slice()];
          note('open ' + ++open);
          const done = setTimeout(3).then(() => {
            open--;
            if (fails && threads) throw new Error('cannot count ' + id);
            return error(...copies);
          });
          done.catch(() => {});
          work.push(done);
          if (open >= 2) return Promise.race(work.slice(-2)).then(() => {});
        },
        compute() {
          const result = (errors) => ({ error: errors.reduce((a, b) => a + b, 0) / errors.length });
          return late ? Promise.all(work).then(result) : result(work);
        },
      };
    },
    close: async () => note('closed'),
  }),
});
`;

async function run(rows: Record<string, string>) {
  const trial = (metric: string) => `
    tasks: { semseg: null, depth: { metric: ${metric} } }
    model: { interaction: null, refinement: null }
    scheme: { type: equal }
    train: { epochs: 1 }
    engine: { type: onnx, threads: 2 }
    evaluate: { every: null }`;
  const file = experimentFile(
    `plugins: promised.ts
rows:
${Object.entries(rows)
  .map(([name, metric]) => `  ${name}:${trial(metric)}`)
  .join('\n')}
`,
  );
  writeFileSync(join(dirname(file), 'promised.ts'), METRIC);
  const outcome = await runExperiment(file, { profile: 'smoke', runs: temporaryFolder() });
  const notes = readFileSync(join(dirname(file), 'notes.txt'), 'utf8')
    .trim()
    .split('\n');
  return { ...outcome, notes };
}

describe('a metric with promises', function () {
  this.timeout(120_000);
  let outcome: Awaited<ReturnType<typeof run>>;

  before(async () => {
    outcome = await run({
      now: '{ type: promised }',
      later: '{ type: promised, late: true }',
      failing: '{ type: promised, late: true, fails: true }',
    });
  });

  it('gives a trial the numbers that it gives at once, and those of single images', () => {
    const { report, notes } = outcome;
    const read = (row: number, name: string) =>
      JSON.parse(readFileSync(join(report.json.rows[row].folder, name), 'utf8'));
    const [now, later] = [read(0, 'result.json'), read(1, 'result.json')];
    expect(now.metrics['depth.error']).to.be.above(0);
    expect(later.metrics).to.deep.equal(now.metrics);
    expect(read(1, 'images.json')).to.deep.equal(read(0, 'images.json'));
    expect(notes.filter((note) => note.startsWith('threads '))).to.include('threads 2');
    // The evaluation waits for room.
    expect(notes).to.include('open 2').and.not.include('open 3');
  });

  it('fails its trial in its own words', () => {
    expect(outcome.failed).to.have.length(1);
    expect(JSON.stringify(outcome.failed)).to.contain('cannot count');
  });

  it('is closed after each trial, and after the constant predictor', () => {
    const [starts, ends] = ['threads ', 'closed'].map(
      (what) => outcome.notes.filter((note) => note.startsWith(what)).length,
    );
    expect(ends).to.equal(starts);
    expect(starts).to.be.at.least(4);
  });
});
