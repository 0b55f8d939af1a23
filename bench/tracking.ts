// What following a run with MLflow costs its training. The same trial is trained again and again, in turn without a
// tracker, with a server that nothing listens at, with one that accepts connections and never answers, and, if
// MLFLOW_TRACKING_URI is set, with that one. Run it on an otherwise idle machine: differences of a percent drown in
// anything else that runs.
//
//   node dist/bench/tracking.js [repeats] [epochs]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialResult } from '../runners/store/ledger/run-folder.js';
import { runExperiment } from '../runners/app/run.js';
import { textTable } from '../runners/reporting/table.js';

const [repeats, epochs] = [5, 40].map((usual, i) => Number(process.argv[i + 2] ?? usual));
const home = mkdtempSync(join(tmpdir(), 'mtcp-tracking-'));
const base = new URL('../../experiments/base/mtcp-nyud.yaml', import.meta.url).pathname;
const silent = createServer(() => {}).listen(0, '127.0.0.1');
await new Promise((done) => silent.on('listening', done));

const servers: Record<string, string | null> = {
  'no tracker': null,
  'nothing listens': 'http://127.0.0.1:2',
  'never answers': `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  ...(process.env.MLFLOW_TRACKING_URI && { 'a working server': process.env.MLFLOW_TRACKING_URI }),
};
delete process.env.MLFLOW_TRACKING_URI;

interface Measured {
  /** Seconds of training. */
  training: number;
  /** Seconds of processor time of the whole process, tracker included. */
  cpu: number;
  metrics: string;
}

async function measure(uri: string | null, turn: string): Promise<Measured> {
  const tracking = uri === null ? 'null' : `{ type: mlflow, uri: '${uri}', patience: 0, model: false }`;
  const file = join(home, 'bench.yaml');
  writeFileSync(
    file,
    `name: bench\nextends: ${base}\ntracking: ${tracking}\n` +
      'rows: { STL depth: { tasks: { semseg: null, normals: null }, model: { interaction: null, refinement: null }, scheme: { type: equal } } }\n',
  );
  const before = process.cpuUsage();
  let folder = '';
  await runExperiment(file, {
    runs: join(home, turn),
    data: join(home, 'rooms'),
    overrides: ['data.train=48', 'data.val=4', `train.epochs=${epochs}`, `evaluate.every=${epochs}`],
    observe: (event) => {
      if (event.event === 'trial') folder = event.folder;
    },
  });
  const { user, system } = process.cpuUsage(before);
  const { seconds, metrics } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as TrialResult;
  return { training: seconds, cpu: (user + system) / 1e6, metrics: JSON.stringify(metrics) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
const all: Record<string, Measured[]> = {};
try {
  // The first one pays for rendering the data and for compiling.
  const expected = await measure(null, 'warm-up');
  for (let turn = 0; turn < repeats; turn++)
    for (const [name, uri] of Object.entries(servers)) {
      const measured = await measure(uri, `${turn} ${name}`);
      if (measured.metrics !== expected.metrics) throw new Error(`other results with ${name}`);
      process.stderr.write(
        `${name}: ${measured.training.toFixed(2)} s, processor ${measured.cpu.toFixed(1)} s\n`,
      );
      (all[name] ??= []).push(measured);
    }
  const plain = all['no tracker'];
  const rows = Object.entries(all).map(([name, runs]) => [
    name,
    median(runs.map(({ training }) => training)).toFixed(2),
    median(runs.map(({ training }, i) => training / plain[i].training)).toFixed(3),
    median(runs.map(({ cpu }, i) => cpu / plain[i].cpu)).toFixed(3),
  ]);
  const right = (title: string) => ({ title, align: 'right' as const });
  const columns = [{ title: 'server' }, right('training s'), right('ratio'), right('processor time, ratio')];
  process.stdout.write(
    `${textTable(columns, rows)}\nMedians of ${repeats} turns; every run has the same results.\n`,
  );
} finally {
  silent.close();
  rmSync(home, { recursive: true, force: true });
}
process.exit();
