// docs/extending.md, followed word for word: files are written, commands run, and what they print compared with what
// the page shows. `...` on the page stands for anything.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, temporaryFolder } from '../../../support/rooms.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

interface Block {
  language: string;
  info: string;
  text: string;
}

const page = readFileSync(join(ROOT, 'docs/extending.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)].map(
  ([, language, info, text]): Block => ({ language, info, text }),
);

/** A page's text as a pattern: `...` is anything, a line of its own any lines. */
function pattern(text: string): RegExp {
  const escaped = text
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .trimEnd()
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll('\\.\\.\\.', '.*'),
    );
  const lines = escaped.map((line) => (line === '.*' ? '(.*\n)*' : `${line} *\n`)).join('');
  return new RegExp(`^${lines}$`);
}

describe('docs/extending.md', function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  // The page's nyud.yaml stands for where the package lies.
  writeFileSync(join(folder, 'nyud.yaml'), `extends: ${join(ROOT, 'experiments/base/mtcp-nyud.yaml')}\n`);

  it('has commands, files and results', () => {
    expect(blocks.filter(({ language }) => language === 'sh')).to.have.length.at.least(8);
    expect(blocks.filter(({ info }) => info.startsWith('file='))).to.have.length(7);
  });

  for (const [i, { language, info, text }] of blocks.entries()) {
    const [, kind, file] = /^(file|part)=(.*)$/.exec(info) ?? [];
    if (kind === 'file')
      it(`${file}`, () => {
        writeFileSync(join(folder, file), text);
      });
    if (kind === 'part')
      it(`${file} has what the page shows`, () => {
        expect(readFileSync(join(folder, file), 'utf8')).to.contain(text);
      });
    if (language !== 'sh') continue;
    it(text.trim(), () => {
      const [npx, program, ...args] = text.trim().split(/\s+/);
      expect([npx, program]).to.deep.equal(['npx', 'mtcp']);
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });
      expect(status, stderr).to.equal(info === 'fails' ? 2 : 0);
      expect(blocks[i + 1].language).to.equal('text');
      expect(info === 'fails' ? stderr : stdout).to.match(pattern(blocks[i + 1].text));
    });
  }

  it('trains a changed block again, and nothing else', () => {
    const trials = () => {
      const args = [MAIN, 'status', 'study.yaml', '--profile', 'smoke', '--json'];
      const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
      return (JSON.parse(stdout) as { trials: { row: string; state: string; hash: string }[] }).trials;
    };
    const states = () => trials().map(({ row, state }) => `${row} ${state}`);
    const [cfm] = trials();
    const file = join(folder, 'my-gate.ts');
    const code = readFileSync(file, 'utf8');
    writeFileSync(file, code.replace('// my-gate:', '// my own gate:'));
    expect(states(), 'a comment').to.deep.equal(['CFM queued', 'gate done']);
    writeFileSync(file, code.replace('.sigmoid()', '.tanh()'));
    expect(states(), 'code').to.deep.equal(['CFM queued', 'gate queued']);
    expect(trials()[0].hash).to.equal(cfm.hash);
  });
});
