// A device that fails in the middle of a run: the trial on it has failed with its last checkpoint, the other trials are
// trained, the report is written, and the same command goes on to what an undisturbed run gives.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { expectSameTrial, mtcp } from '../support/crash.js';
import { readEvents } from '../../runners/store/ledger/events.js';
import { pending } from '../support/pending.js';
import { DEPTH_ONLY, experimentFile, temporaryFolder } from '../support/rooms.js';
import { failingPlugin, lacking } from '../support/xla/failing.js';

const ROWS = ['first', 'second', 'third'];

describe('a run on a device that fails', function () {
  // Each process compiles its programs or reads them from the cache.
  this.timeout(600_000);
  let file: string;
  let plugin: string;
  let undisturbed: string;
  let stepsPerEpoch: number;

  const run = (runs: string, jobs: number, env: Record<string, string> = {}) => {
    const set = Object.entries(env).map(([name, value]) => `export ${name}=${value}`);
    const args = ['run', file, '--profile', 'smoke', '--engine', `xla:${plugin}`, '--jobs', String(jobs)];
    return mtcp([...args, '--runs', runs, '--json'], { shell: set.join('; ') });
  };
  const folderOf = (runs: string, row: string) => {
    const folder = join(runs, 'test');
    return join(
      folder,
      readdirSync(folder).find((name) => name.startsWith(`${row}-`))!,
    );
  };
  const eventsOf = (runs: string, row: string) => readEvents(join(folderOf(runs, row), 'events.jsonl'));

  before(async function () {
    const missing = lacking();
    if (missing) pending(this, missing);
    plugin = failingPlugin();
    const small = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
    const rows = ROWS.map(
      (row, i) => `${row}: ${small.replace(/}$/, `, optimizer: { rate: 1.0e-${i + 3} } }`)}`,
    );
    file = experimentFile(`rows: { ${rows.join(', ')} }\ntrain: { epochs: 3 }\n`);
    undisturbed = temporaryFolder();
    const { code, stderr } = await run(undisturbed, 1);
    expect(code, stderr).to.equal(0);
    const model = eventsOf(undisturbed, 'first').find(({ event }) => event === 'model');
    ({ stepsPerEpoch } = model as unknown as { stepsPerEpoch: number });
  });

  const CASES = [
    {
      how: 'memory',
      jobs: 1,
      said: /the device is out of memory.*\n.*train\.batch.*train\.accumulate.*recompute.*precision/,
    },
    { how: 'lost', jobs: 1, said: /the device has stopped working.*\n.*last checkpoint/ },
    { how: 'lost', jobs: 2, said: /the device has stopped working/ },
  ];
  for (const { how, jobs, said } of CASES)
    it(`${how}, in ${jobs === 1 ? 'one process' : 'two processes'}`, async () => {
      const runs = temporaryFolder();
      const once = join(temporaryFolder(), 'once');
      writeFileSync(once, '');
      // Two runs a step: in the second epoch, after the checkpoint of the first.
      const FAILING_AT = String(2 * stepsPerEpoch + 3);
      const broken = await run(runs, jobs, { FAILING_AT, FAILING_HOW: how, FAILING_ONCE: once });
      expect(existsSync(once), 'it has failed').to.equal(false);
      expect(broken.code, broken.stderr).to.equal(1);
      expect(broken.stderr).to.match(said);

      const failed = ROWS.filter((row) => !existsSync(join(folderOf(runs, row), 'result.json')));
      expect(failed).to.have.length(1);
      const events = eventsOf(runs, failed[0]);
      const last = events.at(-1) as unknown as { event: string; message: string };
      expect(last.event).to.equal('failed');
      expect(last.message).to.match(said);
      expect(events.filter(({ event }) => event === 'checkpoint')).to.have.length(1);
      const report = readFileSync(join(runs, 'test', 'report.md'), 'utf8');
      for (const row of ROWS) expect(report).to.include(row);
      for (const row of ROWS)
        if (row !== failed[0]) expectSameTrial(folderOf(runs, row), folderOf(undisturbed, row));

      const rest = await run(runs, jobs);
      expect(rest.code, rest.stderr).to.equal(0);
      expect(eventsOf(runs, failed[0]).map(({ event }) => event)).to.include('resumed');
      expectSameTrial(folderOf(runs, failed[0]), folderOf(undisturbed, failed[0]));
    });
});
