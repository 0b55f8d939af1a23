// The package as a library: what its guide names is there, and importing it starts nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import * as mtcp from '../../runners/index.js';
import { ROOT } from '../support/rooms.js';
import { finishedExperiment, writeResults } from '../support/results.js';

describe('the package', () => {
  const guide = readFileSync(join(ROOT, 'docs/library.md'), 'utf8');

  it('exports every function that its guide names', () => {
    const table = guide.split('\n').filter((line) => line.startsWith('| `'));
    const named = table.flatMap((line) =>
      [...line.matchAll(/`(\w+)(?:\.\w+)?\((?!\))/g)].map(([, name]) => name),
    );
    expect(named).to.include.members([
      'runExperiment',
      'reportExperiment',
      'predict',
      'exportOnnx',
      'catalog',
    ]);
    for (const name of named) expect(mtcp, name).to.have.property(name);
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Record<string, { import: string }>;
    };
    expect(exports['.'].import).to.equal('./dist/runners/index.js');
  });

  it('tells what became of trials', async () => {
    const { file, runs } = finishedExperiment();
    await writeResults({ file, runs });
    const states = mtcp.statusOfExperiment(file, {
      runs,
      profile: 'smoke',
      rows: ['MT-CP', 'never run'],
      seeds: [0, 1],
    });
    expect(states.map(({ row, seed, state, epoch }) => [row, seed, state, epoch])).to.deep.equal([
      ['MT-CP', 0, 'done', 4],
      ['MT-CP', 1, 'done', 4],
      ['never run', 0, 'queued', 0],
      ['never run', 1, 'queued', 0],
    ]);
  });
});
