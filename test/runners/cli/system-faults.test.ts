// Faults of the system are one sentence with the path and what to do, and exit code 1; none of them is "a bug in mtcp".
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { smallExperiment } from '../../support/crash.js';
import { ROOT, temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

const MTCP = `"${process.execPath}" "${join(ROOT, 'dist/runners/cli/main.js')}"`;

describe('faults of the system', function () {
  this.timeout(180_000);

  const told = (script: string, code = 1) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const { status, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env, timeout: 150_000 });
    expect(stderr).not.to.match(/bug in mtcp|^ +at /m);
    expect(status, stderr).to.equal(code);
    return stderr;
  };
  const run = (options = '') =>
    `${MTCP} run ${smallExperiment()} --profile smoke --runs ${temporaryFolder()} -q ${options}`;

  it('a working directory that was deleted', () => {
    const folder = temporaryFolder();
    for (const command of ['list scheme', `plan ${smallExperiment()}`])
      expect(told(`mkdir ${folder}/x && cd ${folder}/x && rmdir ${folder}/x && ${MTCP} ${command}`)).to.match(
        /the working directory is not there any more\n.*cd ~/,
      );
  });

  it('a cache that cannot be written', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(told(`MTCP_CACHE=${file}/cache ${run()}`)).to.match(
      /file\/cache.*a part of the path is a file[^]*MTCP_CACHE/,
    );
  });

  it('a cache that the system does not make', function () {
    if (!existsSync('/proc/self')) pending(this, 'needs /proc');
    expect(told(`MTCP_CACHE=/proc/x timeout -s KILL 30 ${run()}`)).to.match(/\/proc\/x[^]*MTCP_CACHE/);
  });

  it('runs in a folder that the system does not make', function () {
    if (!existsSync('/proc/self')) pending(this, 'needs /proc');
    const command = `timeout -s KILL 30 ${MTCP} run ${smallExperiment()} --profile smoke -q --runs /proc/x`;
    // What is wrong is an argument.
    expect(told(command, 2)).to.match(/--runs \/proc\/x.*cannot be written[^]*--runs/);
  });

  it('a cache on a full disk', function () {
    // Writing more than a block fails, as on a full disk; nothing else is written by then.
    if (!existsSync('/dev/full')) pending(this, 'there is no /dev/full');
    const cache = temporaryFolder();
    expect(told(`trap '' XFSZ; ulimit -f 1; MTCP_CACHE=${cache} ${run()}`)).to.match(
      /the file would be larger[^]*MTCP_CACHE/,
    );
  });

  // The cache is a file system of its own, with little room or none to write: what the system itself says of it.
  for (const [what, options, said] of [
    ['full', 'size=64k', /the disk is full[^]*MTCP_CACHE/],
    ['read-only', 'ro', /the file system is read-only[^]*MTCP_CACHE/],
    ['that takes no more files', 'size=1m,nr_inodes=3', /the disk is full[^]*MTCP_CACHE/],
  ] as const)
    it(`a cache ${what}`, function () {
      const cache = temporaryFolder();
      const within = (script: string) =>
        `exec unshare --map-root-user --mount bash -c 'mount -t tmpfs -o ${options} mtcp ${cache} && ${script}'`;
      if (spawnSync('bash', ['-c', within('true')]).status !== 0)
        pending(this, 'the system lets nobody mount a file system of their own (unshare)');
      const stderr = told(within(`MTCP_CACHE=${cache} ${run()}`));
      expect(stderr).to.match(said);
      expect(stderr).to.match(new RegExp(`^${cache}`));
      expect(stderr.trim().split('\n').length, stderr).to.be.at.most(3);
    });

  it('too many open files', () => {
    expect(told(`ulimit -n 64; ${run()}`)).to.match(/too many files open[^]*ulimit -n/);
  });
});
