// How large training graphs are at the embedded size: onnxruntime takes longer than linearly to open a graph, so none
// may grow past what opens in a few seconds.
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../runners/config/open.js';
import { inspect } from '../../runners/training/inspect.js';

const EXPERIMENTS = join(import.meta.dirname, '../../../experiments');
const MOST = 10_000;

describe('training graphs of all systems, embedded', () => {
  for (const name of ['table1', 'table2', 'fair', 'beyond', 'sharing'])
    it(`${name}: every row has fewer than ${MOST} operators`, async function () {
      this.timeout(180_000);
      const { trials } = openExperiment(join(EXPERIMENTS, `${name}.yaml`), {});
      const rows = new Map(trials.map((trial) => [trial.row, trial]));
      for (const [row, trial] of rows) {
        const { nodes } = await inspect(trial);
        expect(nodes, row).to.be.within(100, MOST - 1);
      }
    });
});
