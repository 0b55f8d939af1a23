import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { ROOT, TABLE3, temporaryFolder } from '../../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');
const mtcp = (...args: string[]) =>
  execFileSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: ROOT });

describe('mtcp config', () => {
  it('shows a row with the file and line of every value', () => {
    const text = mtcp('config', 'show', TABLE3, '--row', 'STL depth', '--origin', 'train.epochs=3');
    expect(text).to.match(/^# table3, row "STL depth, epochs=3", profile "embedded", seeds 0$/m);
    expect(text).to.match(
      /^ {2}epochs: 3 +# argument "train.epochs=3"; was \d+ \(experiments\/base\/mtcp-nyud.yaml:\d+:\d+\), \d+ \(/m,
    );
    expect(text).to.match(/^ {2}type: equal +# experiments\/table3.yaml:\d+:\d+ {2}row "STL depth"$/m);
    expect(text).to.match(/^ {2}accumulate: 1 +# default$/m);
    expect(text).to.match(
      /^ {2}interaction: null +# experiments\/table3.yaml:.*; was cfm \(experiments\/base/m,
    );
    // The same without comments is the configuration itself.
    expect(load(text)).to.deep.equal(
      load(mtcp('config', 'show', TABLE3, '--row', 'STL depth', 'train.epochs=3')),
    );
  });

  it('shows origins to programs', () => {
    const { rows } = JSON.parse(mtcp('config', 'show', TABLE3, '--row', 'MT-CP', '--origin', '--json')) as {
      rows: { row: string; config: object; origins: Record<string, { layer: string }> }[];
    };
    expect(rows.map(({ row }) => row)).to.deep.equal(['MT-CP']);
    expect(rows[0].origins['train.epochs']).to.include({ layer: 'profile "embedded"' });
    expect(rows[0].origins['engine.type']).to.include({ layer: 'default' });
  });

  it('tells rows and files apart', () => {
    const file = join(temporaryFolder(), 'other.yaml');
    writeFileSync(
      file,
      `name: other\nextends: ${TABLE3}\nscheme: { spread: 7.5 }\nrows: { STL semseg: null }\nreport: null\n`,
    );
    const { rows, only } = JSON.parse(mtcp('config', 'diff', TABLE3, file, '--json')) as {
      rows: {
        row: string;
        same: boolean;
        values: { path: string; a: unknown; b: unknown; from: string[] }[];
      }[];
      only: { a: string[]; b: string[] };
    };
    expect(only).to.deep.equal({ a: ['STL semseg'], b: [] });
    const [first, , , , last] = rows;
    expect(first.values.map(({ path, a, b }) => [path, a, b])).to.deep.equal([['scheme.spread', 2.5, 7.5]]);
    expect(first.values[0].from[0]).to.equal('default');
    expect(first.values[0].from[1]).to.match(/:3:\d+$/);
    // One task has no weights to spread: its scheme replaced that of the file.
    expect(last).to.deep.include({ row: 'STL depth', same: true, values: [] });

    const text = mtcp('config', 'diff', `${TABLE3}#MT-CP`, `${TABLE3}#MT-CP w/o CFM`);
    expect(text)
      .to.contain('MT-CP / MT-CP w/o CFM\n  model.interaction\n    A  cfm ')
      .and.to.contain('    B  null ');
    const unknown = spawnSync(process.execPath, [MAIN, 'config', 'diff', `${TABLE3}#MT-PC`, file], {
      encoding: 'utf8',
    });
    expect(unknown.status).to.equal(2);
    expect(unknown.stderr).to.contain('did you mean "MT-CP"');
  });
});
