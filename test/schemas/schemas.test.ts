// The schemas as an editor reads them: plain draft-07, all files at once, none of the loader's shortcuts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ajv, { type ValidateFunction } from 'ajv';
import { expect } from 'chai';
import { load } from 'js-yaml';
import '../../modules/index.js';
import '../../runners/launching/components.js';
import '../../runners/tracking/index.js';
import { Catalog, catalog } from '../../registry/catalog.js';
import { withDefaults } from '../../registry/options.js';
import { optionFaults } from '../../runners/config/component-schemas.js';
import type { JsonSchema } from '../../runners/config/json-schema.js';
import { loadExperiment } from '../../runners/config/load.js';
import { schemaTexts } from '../../runners/config/schema-files.js';
import { SCHEMAS } from '../../runners/config/schemas.js';
import { fake, fakeSchemas, GOOD, HERE, write } from '../runners/config/support.js';

/** All schema files of `folder`; a validator is compiled when it is asked for. */
function editorSchemas(folder: string): (name: string) => ValidateFunction {
  const editor = new ajv.Ajv({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    formats: { path: true },
  });
  editor.addVocabulary(['enumDescriptions', 'bare', 'written', 'taskKinds', 'usual']);
  const components = readdirSync(join(folder, 'components')).map((file) => `components/${file}`);
  for (const file of ['experiment.schema.json', 'trial.schema.json', ...components])
    editor.addSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object, file);
  return (name) => editor.getSchema(name) as ValidateFunction;
}

/** What comes with mtcp; other tests announce components of their own. */
const shipped = new Catalog();
for (const entry of catalog.list())
  if (!entry.plugin && !entry.file.includes('/test/')) shipped.add(entry);

describe('schemas of the components', () => {
  let schema: (name: string) => ValidateFunction;
  before(() => {
    schema = editorSchemas(SCHEMAS);
  });

  it('are committed as the catalog has them: else run npm run schemas', () => {
    const texts = schemaTexts(shipped, SCHEMAS);
    const folder = join(SCHEMAS, 'components');
    expect(readdirSync(folder).sort()).to.deep.equal([...texts.keys()].sort());
    for (const [name, text] of texts) expect(readFileSync(join(folder, name), 'utf8'), name).to.equal(text);
  });

  it('compile as draft-07', () => {
    expect(schema('experiment.schema.json')({ name: 'x' })).to.equal(true);
    expect(schema('trial.schema.json')({})).to.equal(false);
  });

  for (const entry of shipped.list())
    it(`${entry.kind}.${entry.name} describes its options, with defaults that are valid`, () => {
      expect(optionFaults(entry).map((error) => error.format())).to.deep.equal([]);
      const validate = schema(`components/${entry.kind}.${entry.name}.json`);
      const defaults = withDefaults(validate.schema as JsonSchema, { type: entry.name });
      expect(defaults).to.deep.equal({ type: entry.name, ...withDefaults(entry.options, {}) });
      validate(defaults);
      const faults = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'required');
      expect(faults).to.deep.equal([]);
    });

  it('refuse options that cannot be described or left out', () => {
    const entry = fake('loss', 'odd', {
      type: { description: 'x', type: 'string', default: '' },
      bare: { type: 'number', default: 1 },
      loose: { description: 'x', type: 'number' },
      inner: { description: 'x', type: 'object', properties: { deep: { type: 'number', default: 1 } }, default: {} },
    });
    expect(optionFaults(entry).map(({ message }) => message)).to.deep.equal([
      'loss "odd": option "type" names the component itself; call the option something else',
      'loss "odd": option "bare" has no description',
      'loss "odd": option "loose" is neither required nor has it a default',
      'loss "odd": option "inner.deep" has no description',
    ]);
    expect(optionFaults(entry)[0].where).to.equal('fake/odd.ts');
  });
});

describe('schemas in an editor', () => {
  let folder: string;
  let experiment: ValidateFunction;
  before(() => {
    folder = fakeSchemas();
    experiment = editorSchemas(folder)('experiment.schema.json');
  });
  const faults = (text: string): string[] => {
    experiment(load(text));
    return (experiment.errors ?? [])
      .filter(({ keyword }) => keyword !== 'if')
      .map(({ instancePath, keyword, params }) =>
        [instancePath, keyword, ...Object.values(params as object).flat()].join(' '),
      );
  };

  it('accept complete and partial files, overlays without types, and null', () => {
    expect(faults(GOOD)).to.deep.equal([]);
    expect(
      faults(`
extends: [a.yaml, b.yaml]
scheme: { temperature: 3 }
train: { clip: null }
tasks: { depth: { loss: { normalize: true } }, normals: null }
rows:
  plain: {}
  STL: { tasks: { semseg: null }, model: { interaction: null, refinement: null }, scheme: { type: equal } }
  gone: null
profiles:
  embedded: { data: { type: embedded-rooms, size: [96, 128] }, train: { epochs: 20 }, scheme: null }
report:
  delta_m: { depth: STL }
  printed: { source: Table 3, rows: { plain: { depth.RMSE: 0.4 } } }
`),
    ).to.deep.equal([]);
  });

  it('see what is misspelt, by the chosen type only', () => {
    expect(faults('scheme: { type: dwa, temprature: 2 }')).to.deep.equal([
      '/scheme additionalProperties temprature',
    ]);
    expect(faults('rows: { a: { scheme: { type: dwaa } } }')).to.deep.equal([
      '/rows/a/scheme/type enum dwa equal fixed floor',
    ]);
    expect(faults('rows: { a: { scheme: { temprature: null } } }')).to.deep.equal([
      '/rows/a/scheme additionalProperties temprature',
    ]);
    expect(faults('profiles: { full: { train: { epoch: 3 }, trian: {} } }')).to.deep.equal([
      '/profiles/full additionalProperties trian',
      '/profiles/full/train additionalProperties epoch',
    ]);
    expect(faults('model: { backbone: { type: per-task, encoder: { type: tiny, widht: 3 } } }')).to.deep.equal([
      '/model/backbone/encoder additionalProperties widht',
    ]);
    expect(faults('engine: { type: wasm, provider: cpu }')).to.deep.equal(['/engine additionalProperties provider']);
  });

  it('take items of lists as whole', () => {
    const chain = (part: string) => `model: { interaction: { type: chain, parts: [${part}] } }`;
    expect(faults(chain('{ type: cfm }'))).to.deep.equal([]);
    expect(faults(chain('{ merge: channel }'))).to.include('/model/interaction/parts/0 required type');
  });

  it('describe every section and option for hovers, and list the types for completion', () => {
    const read = (name: string) =>
      JSON.parse(readFileSync(join(folder, 'components', name), 'utf8')) as {
        definitions: Record<string, { properties: Record<string, Record<string, unknown>> }>;
      };
    const { definitions } = read('overlay.json');
    expect(definitions.scheme.properties.type).to.deep.include({
      enum: ['dwa', 'equal', 'fixed', 'floor'],
      enumDescriptions: Array.from({ length: 4 }, () => 'A made-up scheme.'),
    });
    expect(definitions['scheme.dwa'].properties.temperature).to.deep.equal({
      description: 'Softness of the softmax over loss ratios.',
      // A string is a use of a variable.
      type: ['number', 'null', 'string'],
      pattern: '\\$\\{',
      exclusiveMinimum: 0,
      default: 2,
    });
    for (const [section, schema] of Object.entries(definitions.trial.properties))
      expect(schema, section).to.have.property('description');
  });

  it('hold for a resolved trial', () => {
    const validate = editorSchemas(folder)('trial.schema.json');
    const { trials } = loadExperiment(join(write({ 'x.yaml': GOOD }), 'x.yaml'), { schemas: folder });
    validate(trials[0].config);
    expect(validate.errors).to.equal(null);
  });

  it('find something where the loader does and composition plays no part', () => {
    const cases =
      'choice engine long-line misplaced-option nested-choice nested-slot option-without-options out-of-range ' +
      'profile-fault remove-unknown-option report-shape root-values slot-as-string tasks-shape ' +
      'unknown-option unknown-section unknown-type wrong-type';
    for (const name of cases.split(' '))
      expect(faults(readFileSync(join(HERE, 'broken', `${name}.yaml`), 'utf8')), name).not.to.deep.equal([]);
  });
});
