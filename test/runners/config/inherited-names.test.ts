// Names that every JavaScript object inherits, wherever a name from outside is looked up: they are ordinary names or
// faults with a position, and are never found where nobody defined them.
import { join } from 'node:path';
import { expect } from 'chai';
import { catalog } from '../../../registry/catalog.js';
import { MtcpError } from '../../../registry/errors.js';
import { withDefaults } from '../../../registry/options.js';
import { newComponent } from '../../../runners/app/authoring/component.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fakeSchemas, GOOD, write } from './support.js';

/** constructor, toString, hasOwnProperty, __proto__, ... */
const NAMES = Object.getOwnPropertyNames(Object.prototype);

describe('names that every object inherits', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  const faults = (text: string, options: LoadOptions = {}): MtcpError[] => {
    const errors = validateFiles([join(write({ 'x.yaml': text }), 'x.yaml')], { ...options, schemas });
    for (const error of errors) {
      expect(MtcpError.is(error)).to.equal(true);
      expect(error.where).to.be.a('string');
      expect(error.message).not.to.match(/\[native|\[object|undefined|function/);
    }
    return errors;
  };

  /** Where a name is not known, whatever it is. */
  const UNKNOWN: Record<string, (name: string) => string> = {
    'a section': (name) => `${GOOD}${name}: {}\n`,
    'an option': (name) => GOOD.replace('{ type: poly }', `{ type: poly, ${name}: 1 }`),
    'an option of a trial section': (name) => GOOD.replace('batch: 4', `batch: 4, ${name}: 1`),
    'a type': (name) => GOOD.replace('{ type: poly }', `{ type: ${name} }`),
    'a nested type': (name) =>
      GOOD.replace('{ type: tiny }', `{ type: per-task, encoder: { type: ${name} } }`),
    'an engine': (name) => `${GOOD}engine: { type: ${name} }\n`,
    'a tracker': (name) => `${GOOD}tracking: { type: ${name} }\n`,
    'a task': (name) =>
      GOOD.replace(
        '  normals:',
        `  ${name}: { head: { type: conv }, loss: { type: l1 }, metric: { type: rmse } }\n  normals:`,
      ),
    'a task that is removed': (name) => `${GOOD}rows: { a: { tasks: { ${name}: null } } }\n`,
    'a removed option': (name) => `${GOOD}rows: { a: { scheme: { ${name}: null } } }\n`,
    'a used variable': (name) => GOOD.replace('epochs: 2', `epochs: "\${${name}}"`),
    'an unused variable': (name) => `${GOOD}variables: { ${name}: 1 }\n`,
    'a row that is a source': (name) => `${GOOD}weights: { rows: { depth: ${name} } }\n`,
    'a part of the network': (name) => `${GOOD}weights: { rows: { ${name}: good } }\n`,
    'a baseline': (name) => `${GOOD}report: { delta_m: { depth: ${name} } }\n`,
    'a task of a baseline': (name) => `${GOOD}report: { delta_m: { ${name}: good } }\n`,
    'a printed row': (name) =>
      `${GOOD}report: { printed: { source: s, rows: { ${name}: { depth.RMSE: 1 } } } }\n`,
    'an expected number': (name) => `${GOOD}report: { expect: { good: { ${name}: { min: 1 } } } }\n`,
    'a swept path': (name) => `${GOOD}sweep: { grid: { train.${name}: [1, 2] } }\n`,
    'an excluded axis': (name) =>
      `${GOOD}sweep: { grid: { train.epochs: [1, 2] }, exclude: [{ ${name}: 1 }] }\n`,
    'a removed row': (name) => `${GOOD}rows: { a: {}, ${name}: null }\n`,
    'a removed profile': (name) => `${GOOD}profiles: { a: {}, ${name}: null }\n`,
  };
  for (const [place, text] of Object.entries(UNKNOWN))
    it(`${place} is a fault with a place`, () => {
      for (const name of NAMES) expect(faults(text(name)), name).not.to.deep.equal([]);
    });

  it('arguments, rows and profiles that are chosen are faults', () => {
    for (const name of NAMES) {
      for (const path of [name, `train.${name}`, `scheme.${name}`, `tasks.${name}`, `variables.${name}`])
        expect(faults(GOOD, { overrides: [`${path}=1`] }), path).not.to.deep.equal([]);
      expect(faults(GOOD, { rows: [name] }), name).not.to.deep.equal([]);
      expect(faults(GOOD, { profile: name }), name).not.to.deep.equal([]);
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).to.deep.equal(NAMES);
  });

  it('rows, profiles, variables, cases and labels may have them', () => {
    for (const name of NAMES.filter((each) => each !== '__proto__')) {
      const text = `${GOOD.replace('epochs: 2', `epochs: "\${${name}}"`)}variables: { ${name}: 3 }
rows: { ${name}: {}, b: { weights: { rows: { depth: ${name} } } } }
profiles: { ${name}: { evaluate: { batch: 2 } } }
sweep: { rows: [b], cases: { ${name}: {} }, grid: { augment.flip: { ${name}: true } } }
report: { delta_m: { depth: ${name} }, expect: { ${name}: { depth.RMSE: { min: 0 } } } }
`;
      // A name with two underscores in front is no name of a variable.
      const wanted = /^[A-Za-z_]/.test(name);
      expect(wanted).to.equal(true);
      expect(faults(text), name).to.deep.equal([]);
      const file = join(write({ 'x.yaml': text }), 'x.yaml');
      const { trials, report } = loadExperiment(file, { schemas, profile: name });
      expect(trials.map(({ row }) => row)).to.deep.equal([name, `b, ${name}, flip=${name}`]);
      expect(trials[0].config.train.epochs).to.equal(3);
      expect(Object.keys(report.expect!)).to.deep.equal([name]);
    }
  });

  it('an environment variable of this name is not set', () => {
    for (const name of NAMES) {
      const text = GOOD.replace('epochs: 2', 'epochs: "${n}"');
      const said = faults(`${text}variables: { n: { environment: ${name} } }\n`);
      expect(said.map(({ message }) => message).join(), name).to.contain('variable "n" has no value');
    }
  });

  it('a component and its kind are unknown', () => {
    for (const name of NAMES) {
      expect(() => catalog.get('head', name)).to.throw(`unknown head "${name}"`);
      expect(() => newComponent(name, 'mine', '/nowhere')).to.throw(`there is no kind "${name}"`);
    }
  });

  it('an option of this name has its default and is not there otherwise', () => {
    const option = { description: 'Odd.', type: 'integer', default: 3 };
    const odd = NAMES.filter((name) => name !== '__proto__');
    const schema = { type: 'object', properties: Object.fromEntries(odd.map((name) => [name, option])) };
    const filled = withDefaults(schema, {});
    for (const name of odd) expect(Object.hasOwn(filled, name) && filled[name], name).to.equal(3);
  });
});
