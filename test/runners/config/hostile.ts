// Files made to take long: each name says what would grow. Some lie within the limits, as large as these allow, and
// some beyond.
import { GOOD } from './support.js';

const list = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const numbers = (count: number): string => list(count, (i) => i + 1).join(', ');
const EPOCHS = GOOD.replace('epochs: 2', 'epochs: "${v0}"');
const size = (text: string): string => GOOD.replace('{ type: sv }', `{ type: sv, size: ${text} }`);

/** Rows `r0`, `r1`, ... that depend on these others. */
const dependent = (count: number, on: (i: number) => string): string =>
  `${GOOD}rows:\n${list(count, (i) => `  r${i}: { weights: { rows: { ${on(i)} } } }\n`).join('')}`;

export const HOSTILE: Readonly<Record<string, string>> = {
  'anchors in lists, nine deep': `${GOOD}variables:\n${list(9, (i) => `  a${i}: &b${i} [${list(10, () => (i > 0 ? `*b${i - 1}` : 'x')).join(', ')}]\n`).join('')}`,
  'anchors in maps, eight deep': `${GOOD}rows:\n${list(8, (i) => `  r${i}: &r${i} { model: ${i > 0 ? `{ ${list(9, (k) => `k${k}: *r${i - 1}`).join(', ')} }` : '{}'} }\n`).join('')}`,
  'many small aliases': `${GOOD}rows: { ${list(700, (i) => (i > 0 ? `r${i}: *a` : 'r0: &a { tasks: { semseg: null } }')).join(', ')} }\n`,
  'rows in 22 layers, each depending on all of the next': dependent(44, (i) =>
    i < 42 ? `semseg: r${i - (i % 2) + 2}, depth: r${i - (i % 2) + 3}` : '',
  ),
  'rows that each depend on all later ones': dependent(40, (i) =>
    list(
      39 - i,
      (k) =>
        ['semseg', 'depth', 'normals', 'model', 'backbone', 'decoder', 'fusion'].map(
          (part) => `${part}: r${i + 1 + k}`,
        )[k % 7],
    )
      .slice(0, 7)
      .join(', '),
  ),
  'a chain of rows': dependent(1200, (i) => (i < 1199 ? `semseg: r${i + 1}` : '')),
  'a circle of rows': dependent(1200, (i) => `semseg: r${(i + 1) % 1200}`),
  'rows that depend on unknown rows': dependent(1200, (i) => `semseg: q${i}`),
  'rows with faults': `${GOOD}rows:\n${list(1600, (i) => `  r${i}: { train: { epoch: 1 } }\n`).join('')}`,
  'plain rows': `${GOOD}rows:\n${list(4000, (i) => `  r${i}: {}\n`).join('')}`,
  'rows under profiles': `${GOOD}profiles: { ${list(60, (i) => `p${i}: {}`).join(', ')} }\nrows: { ${list(70, (i) => `r${i}: {}`).join(', ')} }\n`,
  'a sweep of 4,000 rows': `${GOOD}sweep: { grid: { train.epochs: [${numbers(80)}], train.batch: [${numbers(50)}] } }\n`,
  'a sweep of 10,000 rows': `${GOOD}sweep: { grid: { train.epochs: [${numbers(100)}], train.batch: [${numbers(100)}] } }\n`,
  'a sweep of 10^12 rows': `${GOOD}sweep: { grid: { ${['train.epochs', 'train.batch', 'train.accumulate', 'evaluate.batch', 'augment.size', 'scheme.temperature'].map((path) => `${path}: [${numbers(100)}]`).join(', ')} } }\n`,
  'a sweep of many paths': `${GOOD}sweep: { zip: { ${list(2000, (i) => `train.e${i}: [1]`).join(', ')} } }\n`,
  'a sweep with many exclusions': `${GOOD}sweep: { grid: { train.epochs: [${numbers(60)}], train.batch: [${numbers(50)}] }, exclude: [${list(1500, (i) => `{ train.epochs: ${(i % 60) + 1}, train.batch: ${1 + Math.floor(i / 60)} }`).join(', ')}] }\n`,
  'opened and never closed': GOOD.replace('epochs: 2', `epochs: "${'${a:-'.repeat(150_000)}"`),
  'a long value behind :-': GOOD.replace('epochs: 2', `epochs: "\${a:-${'x'.repeat(900_000)}"`),
  'many :- in one use': GOOD.replace('epochs: 2', `epochs: "\${a${':-'.repeat(400_000)}"`),
  dollars: GOOD.replace('epochs: 2', `epochs: "${'$'.repeat(900_000)}"`),
  '2,000 chained variables': `${EPOCHS}variables:\n${list(2000, (i) => `  v${i}: "\${v${i + 1}}"\n`).join('')}  v2000: 3\n`,
  'text that doubles': `${EPOCHS}variables:\n${list(40, (i) => `  v${i}: "${`\${v${i + 1}}`.repeat(10)}"\n`).join('')}  v40: xxxxxxxxxx\n`,
  'lists that double': `${size('"${v0}"')}variables:\n${list(40, (i) => `  v${i}: [${list(10, () => `"\${v${i + 1}}"`).join(', ')}]\n`).join('')}  v40: [1]\n`,
  'many uses of one long variable': `${size(`[${list(3000, () => '"${v}"').join(', ')}]`)}variables: { v: "${'x'.repeat(300_000)}" }\n`,
  'names of 10 kB': `${GOOD}${list(90, (i) => `${'q'.repeat(10_000)}${i}: 1\n`).join('')}`,
  'types of 10 kB': `${GOOD}rows:\n${list(90, (i) => `  r${i}: { scheme: { type: ${'q'.repeat(10_000)}${i} } }\n`).join('')}`,
  'many unknown sections': `${GOOD}${list(4000, (i) => `k${i}: 1\n`).join('')}`,
  'many unknown options': GOOD.replace('batch: 4', `batch: 4, ${list(4000, (i) => `k${i}: 1`).join(', ')}`),
  'many unused variables': `${GOOD}variables:\n${list(4000, (i) => `  k${i}: 1\n`).join('')}`,
  'many unknown variables': size(`[${list(4000, (i) => `"\${u${i}}"`).join(', ')}]`),
  'many tasks': GOOD.replace(
    '  normals:',
    `${list(500, (i) => `  t${i}: { head: { type: conv }, loss: { type: l1 }, metric: { type: rmse } }\n`).join('')}  normals:`,
  ),
  'many expected numbers': `${GOOD}report: { expect: { good: { ${list(2500, (i) => `t${i}.x: { min: 1 }`).join(', ')} } } }\n`,
  'many unknown rows of a report': `${GOOD}report: { delta_m: { ${list(4000, (i) => `t${i}: q${i}`).join(', ')} } }\n`,
  'many parts of a network': `${GOOD}weights: { rows: { ${list(4000, (i) => `p${i}: good`).join(', ')} } }\n`,
  seeds: `${GOOD}seeds: [${numbers(9000)}]\n`,
  'a list of 100,000 numbers': size(`[${numbers(100_000)}]`),
  'lists in lists': `${GOOD}report: ${'['.repeat(400_000)}${']'.repeat(400_000)}`,
  'maps in maps': `${GOOD}report: ${'{a: '.repeat(150_000)}1${'}'.repeat(150_000)}`,
  'sequences in sequences': `${GOOD}report: ${'- '.repeat(400_000)}1`,
  'a line of a megabyte': `${GOOD}# ${'x'.repeat(900_000)}\nfoo: 1\n`,
  'a text of a megabyte': `${GOOD}title: "${'\\n'.repeat(450_000)}"\n`,
  'a folded text': `${GOOD}description: >\n${'  x\n'.repeat(200_000)}`,
  comments: `${'#\n'.repeat(500_000)}${GOOD}`,
  duplicates: `${GOOD}${'a: 1\n'.repeat(150_000)}`,
  documents: '---\na: 1\n'.repeat(100_000),
  tags: `${GOOD}rows: [${'!!x a, '.repeat(100_000)}]\n`,
  quotes: `${GOOD}title: ${'"'.repeat(900_000)}\n`,
  'anchors alone': `${GOOD}rows: [${list(60_000, (i) => `&a${i} x`).join(', ')}]\n`,
  'extended files': `${GOOD}extends: [${list(9000, (i) => `f${i}.yaml`).join(', ')}]\n`,
  plugins: `${GOOD}plugins: [${list(9000, (i) => `f${i}.ts`).join(', ')}]\n`,
  'control characters': `${GOOD}${'\0'.repeat(900_000)}`,
  blanks: `${GOOD}${' '.repeat(900_000)}\n`,
  tabs: `${GOOD}${'\t\n'.repeat(450_000)}\n`,
  'carriage returns': `${GOOD}${'\r\n'.repeat(450_000)}`,
  indentation: `${GOOD}rows:\n${list(1200, (i) => `${' '.repeat(i)}a:\n`).join('')}`,
};
