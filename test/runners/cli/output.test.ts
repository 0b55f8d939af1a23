// Standard output and error that fail: the reader leaves, the disk is full. Commands that only print end quietly;
// training continues and records it in its events.
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '../../../runners/store/ledger/events.js';
import { smallExperiment, trialFolderIn } from '../../support/crash.js';
import { DEPTH_ONLY, experimentFile, ROOT, temporaryFolder } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

const MTCP = `"${process.execPath}" "${join(ROOT, 'dist/runners/cli/main.js')}"`;
const bash = (script: string) => {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('output that fails', function () {
  this.timeout(120_000);

  before(function () {
    if (!existsSync('/dev/full')) pending(this, 'there is no /dev/full');
  });

  for (const query of ['schema', '--help', 'completion bash'])
    it(`mtcp ${query} ends quietly when its reader leaves, and with a reason on a full disk`, () => {
      const { status, stderr } = bash(`set -o pipefail; ${MTCP} ${query} | head -c 1 > /dev/null`);
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(bash(`${MTCP} ${query} > /dev/full`)).to.deep.equal({
        status: 1,
        stdout: '',
        stderr: 'standard output is lost: the disk is full\n',
      });
    });

  it('errors that cannot be printed keep their exit code', () => {
    expect(bash(`${MTCP} list nothing 2> /dev/full`).status).to.equal(2);
  });

  it('a log that is followed ends with its reader', () => {
    const runs = temporaryFolder();
    const file = smallExperiment();
    expect(bash(`${MTCP} run ${file} --profile smoke --runs ${runs} -q`).status).to.equal(0);
    const follow = `timeout 30 ${MTCP} logs ${file} --profile smoke --runs ${runs} --follow`;
    expect(bash(`set -o pipefail; ${follow} | head -1`).status).to.equal(0);
  });

  /** What a run says in its events, and how it ended. */
  function train(redirect: string, options = '', rows = smallExperiment()) {
    const runs = temporaryFolder();
    const { status, stderr } = bash(
      `${MTCP} run ${rows} --profile smoke --runs ${runs} ${options} ${redirect.replaceAll('RUNS', runs)}`,
    );
    const events = readEvents(join(trialFolderIn(runs), 'events.jsonl'));
    const warnings = events.flatMap((event) => (event.event === 'warning' ? [event.message] : []));
    return { status, stderr, warnings, last: events.at(-1)!.event };
  }

  it('training goes on when the reader of its events leaves', () => {
    const { status, stderr, warnings, last } = train('--json > >(head -1 > /dev/null)');
    expect(status, stderr).to.equal(0);
    expect(last).to.equal('finished');
    expect(warnings).to.deep.equal(['standard output is lost: its reader has left; training goes on']);
  });

  it('training goes on when its log is on a full disk', () => {
    const { status, warnings, last } = train('--json > /dev/full 2>&1');
    expect(status).to.equal(0);
    expect(last).to.equal('finished');
    expect(warnings).to.deep.equal(['standard output is lost: the disk is full; training goes on']);
  });

  it('so do trials in processes of their own', () => {
    const small = DEPTH_ONLY.replace('model: {', 'model: { decoder: null,');
    const file = experimentFile(`rows: { depth: ${small} }\nseeds: [0]\n`);
    const { status, warnings, last } = train('2> /dev/full', '--jobs 2', file);
    expect(status).to.equal(0);
    expect(last).to.equal('finished');
    expect(warnings).to.deep.equal(['standard error is lost: the disk is full; training goes on']);
  });
});
