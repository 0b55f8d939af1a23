// What building finds before anything runs. Each file in misfits/ has a fault that no schema can see; the .txt beside
// it is everything that is said about it. MTCP_UPDATE_GOLDEN=1 rewrites the texts: read the diff.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '../../../registry/tf.js';
import { expect } from 'chai';
import '../../../modules/index.js';
import { display } from '../../../runners/config/compose.js';
import { formatErrors, loadExperiment, validateFiles } from '../../../runners/config/index.js';
import { findMisfits } from '../../../runners/model/check.js';
import { ROOT, TABLE3 } from '../../support/rooms.js';

const FOLDER = join(ROOT, 'test/runners/model/misfits');
const SMOKE = { profile: 'smoke' };

describe('building before running', function () {
  this.timeout(30_000);

  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.yaml')))
    it(name.replace('.yaml', ''), async () => {
      const file = join(FOLDER, name);
      expect(validateFiles([file], SMOKE), 'by the schemas alone').to.deep.equal([]);
      const experiment = loadExperiment(file, SMOKE);
      const errors = await findMisfits(experiment, experiment.trials);
      const said = `${formatErrors(errors)}\n`
        .replaceAll(`${display(FOLDER)}/`, '')
        .replaceAll(`${display(ROOT)}/`, '')
        .replaceAll(ROOT, '');
      const golden = file.replace('.yaml', '.txt');
      if (process.env.MTCP_UPDATE_GOLDEN) writeFileSync(golden, said);
      expect(said).to.equal(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
      for (const error of errors) expect(error.exitCode).to.equal(2);
    });

  it('finds nothing in Table 3, looks once at what is the same, and leaves no tensors', async () => {
    const table3 = loadExperiment(TABLE3, { ...SMOKE, seeds: [0, 1, 2], rows: ['MT-CP', 'STL depth'] });
    const seen: number[] = [];
    const before = tf.engine().state.numTensors;
    expect(await findMisfits(table3, table3.trials, (done, total) => seen.push(done, total))).to.deep.equal(
      [],
    );
    expect(seen).to.deep.equal([0, 2, 1, 2]);
    expect(tf.engine().state.numTensors).to.equal(before);
  });
});
