import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT, TABLE3, temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

/** What is offered for the last word. */
function offered(...words: string[]): string[] {
  const output = execFileSync(process.execPath, [MAIN, 'complete', '--', ...words], { encoding: 'utf8' });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]);
}

const installed = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

describe('shell completion', function () {
  this.timeout(30_000);

  it('offers commands, flags and what an argument can be', () => {
    expect(offered('')).to.include.members(['run', 'plan', 'config', 'new']).and.not.include('complete');
    expect(offered('config', '')).to.include.members(['show', 'diff']);
    expect(offered('run', '--prof')).to.deep.equal(['--profile']);
    expect(offered('run', '')).to.deep.equal([':files']);
    expect(offered('new', 'component', 'inter')).to.deep.equal(['interaction']);
    expect(offered('describe', 'scheme', 'lp')).to.deep.equal(['lps']);
    expect(offered('describe', 'tra')).to.include.members(['train', 'tracking']);
    expect(offered('run', TABLE3, '--engine', 'onnx:')).to.have.members([
      'onnx:cpu',
      'onnx:cuda',
      'onnx:webgpu',
    ]);
    expect(offered('run', TABLE3, '--engine', 'xla')).to.include.members(['xla', 'xla:cuda13', 'xla:tpu']);
    expect(offered('run', TABLE3, '--engine', 't')).to.deep.equal(['tensorflow']);
    expect(offered('predict', 'x', '--out')).to.deep.equal(['--out']);
    expect(offered('new', 'experiment', 'x', '--from', 'table')).to.include.members(['table3', ':files']);
  });

  it('offers rows, profiles and paths of the file on the line', () => {
    expect(offered('run', TABLE3, '--profile', '')).to.have.members(['embedded', 'full', 'smoke']);
    expect(offered('run', TABLE3, '--profile', 'smoke', '--row', 'STL')).to.have.members([
      'STL semseg',
      'STL depth',
      'STL normals',
      'STL semseg, as released',
      'STL depth, as released',
      'STL normals, as released',
    ]);
    expect(offered('plan', TABLE3, 'train.ep')).to.deep.equal(['train.epochs=']);
    expect(offered('run', TABLE3, 'scheme.type=l')).to.include.members([
      'scheme.type=lps',
      'scheme.type=log',
    ]);
    // As bash parts it.
    expect(offered('run', TABLE3, 'scheme.type', '=', 'lp')).to.deep.equal(['scheme.type=lps']);
    expect(offered('run', TABLE3, 'tasks.depth.head.type=hr')).to.deep.equal(['tasks.depth.head.type=hrnet']);
    expect(offered('run', TABLE3, 'evaluate.mode=')).to.have.members([
      'evaluate.mode=sv',
      'evaluate.mode=atrc',
    ]);
    const broken = join(temporaryFolder(), 'broken.yaml');
    writeFileSync(broken, 'name: [');
    expect(offered('run', broken, '--row', '')).to.deep.equal([]);
  });

  it('completes in bash', function () {
    if (!installed('bash')) pending(this, 'there is no bash');
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'bin'));
    // What npm makes of `bin`: a command. The compiled file itself need not be executable.
    const command = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
    writeFileSync(join(folder, 'bin/mtcp'), command, { mode: 0o755 });
    mkdirSync(join(folder, 'experiments'));
    const replies = (...words: string[]) => {
      const script = `
        eval "$(mtcp completion bash)"
        COMP_WORDS=(mtcp "$@"); COMP_CWORD=$#
        _mtcp
        printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
      return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', cwd: folder, env })
        .trim()
        .split('\n');
    };
    expect(replies('pl')).to.deep.equal(['plan']);
    expect(replies('run', TABLE3, 'scheme.type', '=', 'lp')).to.deep.equal(['lps']);
    expect(replies('run', 'exp')).to.deep.equal(['experiments/']);
    expect(replies('run', TABLE3, '--row', 'STL depth,')).to.deep.equal(['STL\\ depth\\,\\ as\\ released']);
  });

  for (const shell of ['bash', 'zsh', 'fish'])
    it(`prints a script that ${shell} can read`, function () {
      const text = execFileSync(process.execPath, [MAIN, 'completion', shell], { encoding: 'utf8' });
      expect(text).to.contain('mtcp complete --');
      if (!installed(shell)) pending(this, `there is no ${shell}`);
      const file = join(temporaryFolder(), 'completion');
      writeFileSync(file, text);
      const check = shell === 'fish' ? '--no-execute' : '-n';
      expect(spawnSync(shell, [check, file], { encoding: 'utf8' })).to.include({ status: 0, stderr: '' });
    });
});
