// Numbers that would take a machine down are refused before anything starts.
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { parseThreads } from '../../../runners/cli/flags.js';
import { MOST_THREADS } from '../../../runners/config/limits.js';
import { openExperiment } from '../../../runners/config/open.js';
import { Local } from '../../../runners/launching/local-launcher.js';
import { DEPTH_ONLY, experimentFile } from '../../support/rooms.js';
import { pending } from '../../support/pending.js';

describe('numbers of threads', () => {
  const refusal = (yaml: string, overrides: string[] = []): string => {
    const file = experimentFile(`rows: { a: ${DEPTH_ONLY} }\n${yaml}`);
    try {
      openExperiment(file, { profile: 'smoke', overrides });
    } catch (error) {
      if (MtcpError.is(error)) return error.format();
      throw error;
    }
    return '';
  };

  it('beyond what any machine bears are refused where they are written', () => {
    expect(refusal('engine: { type: onnx, threads: 100000 }\n')).to.match(
      /experiment\.yaml:4:32: .*at most 1024/,
    );
    expect(refusal('train: { workers: 100000 }\n')).to.match(/experiment\.yaml:4:19: .*at most 1024/);
    expect(refusal('augment: { size: [100000, 100000] }\n')).to.match(/4:\d+: .*at most 8192/);
    expect(refusal('', ['engine.threads=100000'])).to.match(/engine\.threads=100000/);
    expect(() => new Local({ jobs: 100000, processes: 1 })).to.throw('100000 processes at once are too many');
    // Commands that read no experiment, such as predict and doctor, take it too.
    expect(() => parseThreads('100000')).to.throw('100000 threads are too many');
    expect(parseThreads('2')).to.equal(2);
  });

  it('that drop everything are refused: what is kept would be divided by 0', () => {
    expect(refusal('model: { backbone: { encoder: { drop_path: 1 } } }\n')).to.match(
      /4:\d+: .*drop_path.* must be below 1/,
    );
    expect(refusal('tasks: { depth: { head: { type: deeplab, dropout: 1 } } }\n')).to.match(
      /4:\d+: .*dropout.* must be below 1/,
    );
  });

  it('beyond what this machine bears are refused too', function () {
    if (MOST_THREADS >= 1024) pending(this, 'this machine has too many cores');
    const given = refusal(`engine: { type: onnx, threads: ${MOST_THREADS + 1} }\n`);
    expect(given).to.match(/experiment\.yaml:4:\d+: \d+ threads are too many[^]*this machine has \d+ cores/);
    expect(refusal(`engine: { type: onnx, threads: ${MOST_THREADS} }\ntrain: { workers: 0 }\n`)).to.equal('');
  });
});
