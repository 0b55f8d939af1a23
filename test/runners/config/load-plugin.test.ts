// Plugins as experiment files meet them: every way in which one can be wrong is a located fault, and none of them
// leaves anything in the catalog.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { catalog } from '../../../registry/catalog.js';
import { formatErrors, loadExperiment, validateFiles } from '../../../runners/config/index.js';
import { writeResolved } from '../../../runners/config/resolved.js';
import { display } from '../../../runners/config/compose.js';
import { fakeSchemas, GOOD, write } from './support.js';

const define = (kind: string, name: string, rest = '') =>
  `import { define } from 'mtcp/registry';
define({
  kind: '${kind}',
  name: '${name}',
  summary: 'Made up.',
  options: { type: 'object', additionalProperties: false, properties: { size: { type: 'integer', default: 3, description: 'Size.' } }, required: ['size'] },
  create: ({ options }) => ({ forward: () => options.size }),${rest}
});
`;

describe('plugins', () => {
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });
  afterEach(() => {
    for (const { kind, name, plugin } of catalog.list()) if (plugin) catalog.remove(kind, name);
  });

  /** What is said about an experiment that names a.ts, without the folder. */
  function faults(files: Record<string, string>, plugins = 'a.ts'): string {
    const folder = write({ 'x.yaml': `${GOOD}plugins: ${plugins}\n`, ...files });
    const before = catalog.list().length;
    const said = formatErrors(validateFiles([join(folder, 'x.yaml')], { schemas }));
    if (said !== '') expect(catalog.list()).to.have.length(before);
    return said.replaceAll(`${display(folder)}/`, '').replaceAll(folder, '');
  }

  it('are TypeScript or JavaScript, with what they import by relative path', () => {
    const folder = write({
      'deep/a.ts': `import { name } from './name.js';\n${define('head', 'x').replace("'x'", 'name')}`,
      'deep/name.ts': "export const name: string = 'plug-a';",
      'b.mjs': define('head', 'plug-b'),
      'base.yaml': `${GOOD}plugins: deep/a.ts\n`,
      'x.yaml':
        'name: x\nextends: base.yaml\nplugins: [b.mjs]\ntasks: { depth: { head: { type: plug-a } }, semseg: { head: { type: plug-b, size: 5 } } }\n',
    });
    const [trial] = loadExperiment(join(folder, 'x.yaml'), { schemas }).trials;
    expect(trial.plugins).to.deep.equal([join(folder, 'deep/a.ts'), join(folder, 'b.mjs')]);
    expect(trial.config.tasks.depth.head).to.deep.equal({ type: 'plug-a', size: 3 });
    expect(trial.config.tasks.semseg.head).to.deep.equal({ type: 'plug-b', size: 5 });
    expect(catalog.get('head', 'plug-a')).to.include({ plugin: join(folder, 'deep/a.ts') });
    // The resolved file names them, too.
    writeFileSync(join(folder, 'resolved.yaml'), writeResolved(trial));
    const [again] = loadExperiment(join(folder, 'resolved.yaml'), { schemas }).trials;
    expect(again).to.deep.include({ hash: trial.hash, config: trial.config, plugins: trial.plugins });
  });

  it('lie anywhere, and know where', () => {
    const folder = write({
      'a (1)/b [2] #/a.ts': define('head', 'plug-a', '\n  file: import.meta.url,'),
      'a (1)/b [2] #/b.js': define('head', 'plug-b'),
      'x.yaml': `${GOOD}plugins: ['a (1)/b [2] #/a.ts', 'a (1)/b [2] #/b.js']\n`,
    });
    loadExperiment(join(folder, 'x.yaml'), { schemas });
    expect(catalog.get('head', 'plug-a').file).to.equal(join(folder, 'a (1)/b [2] #/a.ts'));
    expect(catalog.get('head', 'plug-b').file).to.equal(join(folder, 'a (1)/b [2] #/b.js'));
  });

  it('are part of the identity of the trials that use them, and of no others', () => {
    const hashes = (size: string) => {
      const folder = write({
        'a.ts': define('head', 'plug-hash').replace('options.size', size),
        'x.yaml': `${GOOD}plugins: a.ts\nrows: { without: {}, with: { tasks: { depth: { head: { type: plug-hash } } } } }\n`,
      });
      const { trials } = loadExperiment(join(folder, 'x.yaml'), { schemas });
      catalog.remove('head', 'plug-hash');
      return trials.map(({ hash }) => hash);
    };
    const [a, b, c] = [
      hashes('options.size'),
      hashes('options.size /* of it */'),
      hashes('options.size + 1'),
    ];
    expect(a).to.deep.equal(b);
    expect(a[0]).to.equal(c[0]);
    expect(a[1]).not.to.equal(c[1]);
    const bare = loadExperiment(join(write({ 'x.yaml': `${GOOD}rows: { without: {} }` }), 'x.yaml'), {
      schemas,
    });
    expect(bare.trials[0].hash).to.equal(a[0]);
  });

  it('check options like any other component', () => {
    const folder = write({
      'a.ts': define('head', 'plug-options'),
      'x.yaml': `${GOOD}plugins: a.ts\nrows: { a: { tasks: { depth: { head: { type: plug-options, sise: 3 } } } }, b: { tasks: { depth: { head: { type: plug-option } } } } }\n`,
    });
    const said = formatErrors(validateFiles([join(folder, 'x.yaml')], { schemas }));
    expect(said)
      .to.contain('unknown option "sise" in head "plug-options"')
      .and.to.contain('did you mean "size"?');
    expect(said).to.contain('unknown head "plug-option"').and.to.contain('did you mean "plug-options"?');
  });

  it('that do not exist or are no code are faults of the experiment file', () => {
    expect(faults({ 'b.ts': define('head', 'plug-b') })).to.equal(
      `x.yaml:16:10: "a.ts": there is no such file
  15 | train: { epochs: 2, batch: 4 }
> 16 | plugins: a.ts
     |          ^^^^
  17 | 
did you mean "b.ts"?`,
    );
    expect(faults({}, 'x.yaml')).to.contain(
      '"x.yaml": a plugin is a file of TypeScript or JavaScript (.ts, .mts, .js, .mjs)',
    );
    expect(faults({ 'c/d.ts': '' }, 'c')).to.contain('"c": this is a folder, not a file');
    expect(faults({ 'a.ts': 'export const a = 1;' })).to.contain('"a.ts": this plugin declares no component');
    expect(faults({ 'a.ts': "import 'mtcp';" }))
      .to.contain('a plugin cannot import "mtcp"')
      .and.to.contain('mtcp/registry');
  });

  it('that cannot be compiled are faults at the line of the plugin', () => {
    expect(faults({ 'a.ts': 'const a = 1;\nexport functoin b() {}\n' })).to.equal(
      `a.ts:2:8: Unexpected "functoin"
  1 | const a = 1;
> 2 | export functoin b() {}
    |        ^^^^^^^^
  3 | 
loaded by x.yaml:16:10`,
    );
    expect(faults({ 'a.ts': "import './b.js';", 'b.ts': '\n\nlet = 3 3;' })).to.match(
      /^b\.ts:3:9: Expected ";" but found "3"/,
    );
    expect(faults({ 'a.ts': "export { x } from './nothing.js';" })).to.contain(
      'Could not resolve "./nothing.js"',
    );
  });

  it('that throw are faults at the line that threw', () => {
    const text = `${define('head', 'plug-throws')}
interface Long { a: number }

const none: Long[] = [];
console.log(none[3].a);
`;
    expect(faults({ 'a.ts': text })).to.equal(
      `a.ts:13:21: the plugin fails while it is loaded: Cannot read properties of undefined (reading 'a')
  12 | const none: Long[] = [];
> 13 | console.log(none[3].a);
     |                     ^
  14 | 
loaded by x.yaml:16:10`,
    );
  });

  it('that throw are located wherever they lie', () => {
    const text = `${define('head', 'plug-throws')}\nthrow new Error('no');\n`;
    for (const name of ['a (1)/b: c/a.ts', 'registry/node_modules/a.js'])
      expect(faults({ [name]: text }, `'${name}'`)).to.contain(
        `${name}:10:7: the plugin fails while it is loaded: no`,
      );
    const imported = { 'a (1)/a.ts': "import './b.js';", 'a (1)/b.ts': "\nthrow new Error('no');" };
    expect(faults(imported, "'a (1)/a.ts'")).to.contain('a (1)/b.ts:2:7: the plugin fails');
  });

  it('that announce what cannot work are faults at the announcement', () => {
    expect(faults({ 'a.ts': define('heads', 'plug-kind') })).to.match(
      /^a\.ts:4:10: there is no kind "heads"/,
    );
    expect(faults({ 'a.ts': define('head', 'Plug') })).to.contain(
      'head "Plug": a name has lower-case letters, digits, - and _',
    );
    expect(faults({ 'a.ts': define('head', 'plug-bare').replace("description: 'Size.'", '') })).to.contain(
      'head "plug-bare": option "size" has no description',
    );
    expect(
      faults({ 'a.ts': define('head', 'plug-open').replace('additionalProperties: false,', '') }),
    ).to.contain('head "plug-open": options must be a closed object');
    expect(
      faults({
        'a.ts': define('head', 'plug-twice') + define('head', 'plug-twice').split('\n').slice(1).join('\n'),
      }),
    ).to.contain('head "plug-twice" is registered twice');
    expect(faults({ 'a.ts': define('interaction', 'cfm') })).to.match(
      /interaction "cfm" (comes with mtcp already|is registered twice)/,
    );
  });
});
