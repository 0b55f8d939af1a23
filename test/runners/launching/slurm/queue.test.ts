// What squeue and sacct print, as recorded from Slurm 22.05.
import { expect } from 'chai';
import { parseSacct, parseSqueue, phaseOf, secondsIn } from '../../../../runners/launching/slurm/queue.js';

const SQUEUE = `1|2|PENDING|JobArrayTaskLimit||1:00|0|
1|0|RUNNING|None|n1|57|0|
1|1|COMPLETING|None|n2|1-02:03:04|3|
7|N/A|RUNNING|None|n1|UNLIMITED|0|
1|3|CANCELLED|None||1:00|0|
`;

describe('the queue of Slurm', () => {
  it('lists tasks of arrays', () => {
    const tasks = parseSqueue(SQUEUE);
    expect(tasks.map(({ job, task, phase, word }) => [job, task, phase, word])).to.deep.equal([
      ['1', 2, 'waiting', 'PENDING'],
      ['1', 0, 'running', 'RUNNING'],
      ['1', 1, 'running', 'COMPLETING'],
      ['1', 3, 'ended', 'CANCELLED'],
    ]);
    expect(tasks[0]).to.include({ reason: 'JobArrayTaskLimit', node: null, left: '1:00' });
    expect(tasks[2]).to.include({ reason: null, node: 'n2', restarts: 3 });
    expect(parseSqueue('')).to.deep.equal([]);
  });

  it('is remembered by the accounts', () => {
    const text =
      '5_0|COMPLETED|n1\n5_1|CANCELLED by 1000|n2\n5_2|NODE_FAIL|n2\n5_[3-9%2]|PENDING|None assigned\n6|FAILED|n1\n';
    expect(parseSacct(text).map(({ task, word, phase, node }) => [task, word, phase, node])).to.deep.equal([
      [0, 'COMPLETED', 'ended', 'n1'],
      [1, 'CANCELLED', 'ended', 'n2'],
      [2, 'NODE_FAIL', 'ended', 'n2'],
    ]);
  });

  it('has a phase for every state', () => {
    for (const word of [
      'FAILED',
      'TIMEOUT',
      'OUT_OF_MEMORY',
      'PREEMPTED',
      'NODE_FAIL',
      'BOOT_FAIL',
      'DEADLINE',
    ])
      expect(phaseOf(word)).to.equal('ended');
    expect(phaseOf('SUSPENDED')).to.equal('running');
    expect(phaseOf('REQUEUED')).to.equal('waiting');
  });

  it('writes times in several ways', () => {
    const times = { '57': 57, '1:00': 60, '59:01': 3541, '2:03:04': 7384, '1-02:03:04': 93784, '0:00': 0 };
    for (const [text, seconds] of Object.entries(times)) expect(secondsIn(text), text).to.equal(seconds);
    for (const text of ['UNLIMITED', 'INVALID', 'NOT_SET', '']) expect(secondsIn(text)).to.equal(undefined);
  });
});
