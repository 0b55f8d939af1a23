// The state of a repository that a stranger made: it is told, and no program that its configuration names is run.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { gitState } from '../../../../runners/tracking/mlflow/git.js';
import { pending } from '../../../support/pending.js';
import { temporaryFolder } from '../../../support/rooms.js';

function repository(): { folder: string; git(...args: string[]): string } {
  const folder = temporaryFolder();
  const who = ['-c', 'user.name=me', '-c', 'user.email=me@x'];
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(folder, 'x.yaml'), 'name: x\n');
  writeFileSync(join(folder, 'x.txt'), '1\n');
  git('add', '.');
  git('commit', '--quiet', '--message=one');
  return { folder, git };
}

describe('the state of a repository', function () {
  this.timeout(30_000);
  before(function () {
    if (spawnSync('git', ['--version']).status !== 0) pending(this, 'there is no git');
  });

  it('is its commit, branch, remote and what differs', () => {
    const { folder, git } = repository();
    git('remote', 'add', 'origin', 'https://example.org/x.git');
    const clean = gitState(folder)!;
    expect(clean).to.deep.equal({
      commit: git('rev-parse', 'HEAD'),
      branch: 'main',
      url: 'https://example.org/x.git',
      diff: '',
    });
    writeFileSync(join(folder, 'x.yaml'), 'name: y\n');
    expect(gitState(folder)!.diff).to.match(/^-name: x\n\+name: y$/m);
  });

  it('is nothing where there is no commit, or git cannot read it', () => {
    expect(gitState(temporaryFolder())).to.equal(undefined);
    const { folder } = repository();
    writeFileSync(join(folder, '.git/HEAD'), 'ref: refs/heads/ma');
    expect(gitState(folder)).to.equal(undefined);
  });

  it('is found without running what the repository names', () => {
    const { folder, git } = repository();
    const ran = join(folder, 'ran');
    const evil = join(folder, '.git/evil.sh');
    writeFileSync(evil, `#!/bin/sh\necho "$0 $*" >> ${ran}\ncat\n`);
    chmodSync(evil, 0o755);
    for (const key of [
      'core.fsmonitor',
      'diff.external',
      'diff.odd.textconv',
      'diff.odd.command',
      'filter.odd.clean',
      'filter.odd.process',
      'filter.a=b.clean',
      'core.pager',
      'core.sshCommand',
    ])
      git('config', key, evil);
    git('config', 'filter.odd.required', 'true');
    writeFileSync(join(folder, '.git/info/attributes'), '*.yaml diff=odd filter=odd\n*.txt filter=a=b\n');
    mkdirSync(join(folder, '.git/hooks'), { recursive: true });
    writeFileSync(join(folder, '.git/hooks/post-index-change'), readFileSync(evil));
    chmodSync(join(folder, '.git/hooks/post-index-change'), 0o755);
    writeFileSync(join(folder, 'x.yaml'), 'name: y\n');
    writeFileSync(join(folder, 'x.txt'), '2\n');
    const { diff } = gitState(folder)!;
    expect(existsSync(ran) && readFileSync(ran, 'utf8')).to.equal(false);
    expect(diff)
      .to.match(/^\+name: y$/m)
      .and.to.match(/^\+2$/m);
    // Without precautions they do run.
    spawnSync('git', ['-C', folder, 'diff', 'HEAD'], { input: '' });
    expect(existsSync(ran)).to.equal(true);
  });
});
