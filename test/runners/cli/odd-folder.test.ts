// mtcp installed in a folder whose name means something to those who read paths out of text: stack traces write
// "(file:line:column)", URLs escape spaces, and "#" ends a path in them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { installIn, runInstalled } from '../../support/installed.js';
import { DEPTH_ONLY, temporaryFolder } from '../../support/rooms.js';

describe('mtcp in a folder with parentheses', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => installIn((folder = join(temporaryFolder(), 'mtcp (1) #2'))));

  const mtcp = (...args: string[]) => runInstalled(folder, ...args);

  it('trains, with workers of its own', () => {
    const rows = `rows: { depth: ${DEPTH_ONLY}, other: ${DEPTH_ONLY.replace(/ }$/, ', optimizer: { rate: 1e-3 } }')} }\n`;
    writeFileSync(join(folder, 'experiments/mine.yaml'), `name: mine\nextends: base/mtcp-nyud.yaml\n${rows}`);
    const run = ['run', 'experiments/mine.yaml', '--profile', 'smoke', '--jobs', '2', '--runs', 'runs (1)'];
    const { status, stdout, stderr } = mtcp(...run);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^(depth|other) .*\d\.\d/m);
  });

  it("names the line of a plugin's fault", () => {
    writeFileSync(
      join(folder, 'experiments/plugin.ts'),
      "const list: number[] = [];\n\nthrow new Error('no luck');\n",
    );
    const rows = `rows: { depth: ${DEPTH_ONLY} }\n`;
    const head = 'name: with-plugin\nextends: base/mtcp-nyud.yaml\nplugins: plugin.ts\n';
    writeFileSync(join(folder, 'experiments/with-plugin.yaml'), `${head}${rows}`);
    const { status, stderr } = mtcp('--trust', 'validate', 'experiments/with-plugin.yaml');
    expect(status, stderr).to.equal(2);
    expect(stderr)
      .to.match(/plugin\.ts:3:7: the plugin fails/)
      .and.to.contain('no luck');
  });

  it('shows where a component that comes with mtcp lies', () => {
    const { status, stdout, stderr } = mtcp('describe', 'scheme', 'lps');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/spread/);
  });
});
