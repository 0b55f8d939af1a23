// Prints the numbers of claims.md from trained rows: means and deviations over seeds, the noise of a seed, and paired tests.
//
//   node docs/claims.mjs [FOLDER] [-- 'ROW A - ROW B' ...]      FOLDER: runs/claims if left out
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deltaM, pairedDifference, spreadOf } from '../dist/runners/reporting/statistics.js';

const METRICS = { 'semseg.mIoU': 'higher', 'depth.RMSE': 'lower', 'normals.mErr': 'lower' };
const SINGLE = ['STL semseg', 'STL depth', 'STL normals'];
/** Rows whose spread says nothing about that of others. */
const APART = ['MT-CP w/o SRM', 'Linear probe'];
const PAIRS = [
  'MT-CP - MT-CP w/o CFM & SRM',
  'MT-CP w/o CFM - MT-CP w/o CFM & SRM',
  'MT-CP - MT-CP w/o CFM',
  'MT-CP - MT-CP w/o SRM',
  'MT-CP - STL semseg',
  'MT-CP - STL depth',
  'MT-CP - STL normals',
  'MT-CP - MT-CP, log',
  'MT-CP, log - MT-CP, equal weights',
  'MT-CP - MT-CP, equal weights',
  'MT-CP, prioritisation alone - MT-CP, equal weights',
];

const [folder = 'runs/claims', ...given] = process.argv.slice(2).filter((each) => each !== '--');

/** By row and seed. Settings of the command line are part of a row's name ("MT-CP, epochs=16") and are left out. */
const rows = new Map();
for (const trial of readdirSync(folder)) {
  const file = join(folder, trial, 'result.json');
  if (!existsSync(file)) continue;
  const { row: name, seed, metrics } = JSON.parse(readFileSync(file, 'utf8'));
  const row = name.replace(/(, [\w.]+=[^\s,]+)+$/, '');
  if (!rows.has(row)) rows.set(row, new Map());
  rows.get(row).set(seed, metrics);
}
const keys = Object.keys(METRICS);
for (const seeds of rows.values())
  for (const [seed, metrics] of seeds) {
    const single = SINGLE.map((row, i) => rows.get(row)?.get(seed)?.[keys[i]]);
    const scores = keys.map((key) => ({ value: metrics[key], better: METRICS[key] }));
    const isWhole = [...single, ...scores.map(({ value }) => value)].every(
      (value) => typeof value === 'number',
    );
    if (isWhole) metrics['delta-m'] = deltaM(scores, single);
  }

const valuesOf = (row, key) => {
  const found = [...(rows.get(row) ?? [])].filter(([, metrics]) => typeof metrics[key] === 'number');
  return new Map(found.map(([seed, metrics]) => [seed, metrics[key]]));
};
const number = (value) => Number(value.toPrecision(4));
const all = [...keys, 'delta-m'];

console.log(`row: ${all.join(', ')} (mean, deviation of one seed, seeds)`);
for (const row of rows.keys()) {
  const cells = all.map((key) => {
    const values = [...valuesOf(row, key).values()];
    if (values.length === 0) return '-';
    const { mean, deviation, count } = spreadOf(values);
    return `${number(mean)} ± ${deviation === undefined ? '?' : deviation.toPrecision(2)} (${count})`;
  });
  console.log(`${row}: ${cells.join(', ')}`);
}

console.log('\nnoise of a seed (pooled), and the least difference of two rows of one seed');
for (const key of keys) {
  const spreads = [...rows.keys()]
    .filter((row) => !APART.includes(row))
    .map((row) => spreadOf([...valuesOf(row, key).values()]))
    .filter(({ count }) => count > 2);
  if (spreads.length === 0) continue;
  const degrees = spreads.reduce((sum, { count }) => sum + count - 1, 0);
  const squares = spreads.reduce((sum, { count, deviation }) => sum + (count - 1) * deviation ** 2, 0);
  const noise = Math.sqrt(squares / degrees);
  console.log(`${key}: ${noise.toPrecision(3)}, ${(2 * Math.SQRT2 * noise).toPrecision(2)}`);
}

console.log('\nmean difference, how many seeds have its sign, p of the paired t-test');
for (const pair of given.length > 0 ? given : PAIRS) {
  const [a, b] = pair.split(' - ');
  const cells = all.flatMap((key) => {
    const [ours, theirs] = [valuesOf(a, key), valuesOf(b, key)];
    const seeds = [...ours.keys()].filter((seed) => theirs.has(seed));
    if (seeds.length < 2) return [];
    const differences = seeds.map((seed) => ours.get(seed) - theirs.get(seed));
    const { mean, count, p } = pairedDifference(
      seeds.map((seed) => ours.get(seed)),
      seeds.map((seed) => theirs.get(seed)),
    );
    const same = differences.filter((each) => each > 0 === mean > 0).length;
    return `${key} ${mean > 0 ? '+' : ''}${mean.toPrecision(2)} (${same} of ${count}, p ${p?.toPrecision(1) ?? '?'})`;
  });
  console.log(`${pair}: ${cells.length > 0 ? cells.join(', ') : 'no two seeds in common'}`);
}
