// The tables that compare systems: every row of every profile is a network whose parts fit each other.
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../runners/config/open.js';
import { flowOf } from '../../runners/model/flow.js';

const EXPERIMENTS = join(import.meta.dirname, '../../../experiments');

describe('tables of systems', () => {
  const systems = { table1: 12, table2: 12, fair: 12, beyond: 12, 'nyud-4': 12, 'pascal-5': 13, sharing: 10 };
  for (const [name, least] of Object.entries(systems))
    it(`${name}: every row gives a prediction for each of its tasks`, async function () {
      this.timeout(60_000);
      const { trials } = openExperiment(join(EXPERIMENTS, `${name}.yaml`), {});
      const rows = new Map(trials.map((trial) => [trial.row, trial]));
      expect(rows.size).to.be.at.least(least);
      for (const [row, trial] of rows) {
        const { tasks, sections } = await flowOf(trial);
        const heads = sections.at(-1)!;
        for (const task of tasks) expect(heads.maps[task][0], `${row}: ${task}`).to.have.length(3);
        expect(heads.parameters, row).to.be.greaterThan(0);
      }
    });

  it('the published profile is valid, too', () => {
    for (const [name, least] of Object.entries(systems))
      expect(
        openExperiment(join(EXPERIMENTS, `${name}.yaml`), { profile: 'full' }).trials.length,
      ).to.be.at.least(least);
  });
});
