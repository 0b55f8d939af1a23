// The Python of docs/reports.md reads a folder of runs, with the real pandas and DuckDB.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { finishedExperiment, RMSE, SEEDS, writeResults } from '../support/results.js';
import { readersPython } from '../support/python/python.js';
import { ROOT } from '../support/rooms.js';

const run = promisify(execFile);

const PRINT = {
  pandas: 'print(json.dumps([len(results), sorted(results["metrics.depth.RMSE"]), len(steps)]))',
  duckdb: `import json
print(json.dumps([len(results.fetchall()), sorted(json.loads(r[0])["depth.RMSE"] if isinstance(r[0], str) else r[0]["depth.RMSE"] for r in results.project("metrics").fetchall()), len(events.fetchall())]))`,
};

describe('the notebook lines of docs/reports.md', () => {
  const blocks = [
    ...readFileSync(join(ROOT, 'docs/reports.md'), 'utf8').matchAll(/^```python\n(.*?)^```$/gms),
  ].map(([, code]) => code);
  let python: string;
  let folder: string;
  before(async function () {
    python = await readersPython(this);
    folder = mkdtempSync(join(tmpdir(), 'mtcp-notebook-'));
    const made = finishedExperiment();
    await writeResults(made);
    symlinkSync(made.runs, join(folder, 'runs'));
    const losses = { raw: { depth: 1 }, projected: { depth: 1 }, weights: {}, cosines: {} };
    const step = (n: number) => JSON.stringify({ epoch: 1, step: n, time: n, rate: 1, total: 1, ...losses });
    for (const experiment of readdirSync(made.runs))
      for (const trial of readdirSync(join(made.runs, experiment)))
        writeFileSync(join(made.runs, experiment, trial, 'steps.jsonl'), `${step(1)}\n${step(2)}\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const trials = Object.keys(RMSE).length * SEEDS.length;
  const rmse = Object.values(RMSE).flat().sort();
  for (const [name, rows] of [
    ['pandas', 2 * trials],
    ['duckdb', 4 * trials],
  ] as const)
    it(`${name} reads results and what happened`, async function () {
      this.timeout(300_000);
      const code = blocks.find((block) =>
        block.includes(`import ${name === 'pandas' ? 'glob, json, pandas' : name}`),
      )!;
      const { stdout } = await run(python, ['-c', `${code}\n${PRINT[name]}`], { cwd: folder });
      expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).to.deep.equal([trials, rmse, rows]);
    });
});
