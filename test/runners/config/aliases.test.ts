// Other names of options, wherever an option is written: the same trial, and never both in one map.
import { join } from 'node:path';
import { expect } from 'chai';
import { loadExperiment } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fakeSchemas, GOOD, write } from './support.js';

describe('other names of options', () => {
  const schemas = fakeSchemas();
  const rates = (text: string, options: LoadOptions = {}) =>
    loadExperiment(join(write({ 'x.yaml': text }), 'x.yaml'), { ...options, schemas }).trials.map(
      ({ config, hash }) => ({ rate: config.optimizer.rate, hash }),
    );

  for (const name of ['learning_rate', 'lr'])
    it(`optimizer.${name} is the rate in files, profiles, rows, cases, sweeps and arguments, with the same hash`, () => {
      const plain = rates(GOOD);
      expect(rates(GOOD.replace('rate: 1e-3', `${name}: 1e-3`))).to.deep.equal(plain);
      const [{ rate, hash }] = rates(GOOD, { overrides: ['optimizer.rate=0.5'] });
      expect(rate).to.equal(0.5);
      const all = [
        rates(GOOD, { overrides: [`optimizer.${name}=0.5`] }),
        rates(GOOD, { overrides: [`optimizer={ type: adamw, ${name}: 0.5 }`] }),
        rates(`${GOOD}profiles: { embedded: { optimizer: { ${name}: 0.5 } } }\n`),
        rates(`${GOOD}rows: { a: { optimizer: { ${name}: 0.5 } } }\n`),
        rates(`${GOOD}sweep: { cases: { a: { optimizer: { ${name}: 0.5 } } } }\n`),
        rates(`${GOOD}sweep: { grid: { optimizer.${name}: [0.5] } }\n`),
      ];
      for (const each of all) expect(each).to.deep.equal([{ rate: 0.5, hash }]);
    });

  it('are not written together', () => {
    expect(() => rates(GOOD.replace('rate: 1e-3', 'rate: 1e-3, lr: 1e-3'))).to.throw(
      'optimizer.lr is written here under two names',
    );
  });
});
