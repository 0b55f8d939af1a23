// Experiment files in an editor: the real yaml-language-server over LSP, led to the schema by the first line that
// every shipped file has.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../modules/index.js';
import { Catalog, catalog } from '../../registry/catalog.js';
import { bundledSchema } from '../../runners/config/schema-files.js';
import { SCHEMAS } from '../../runners/config/schemas.js';
import { LanguageServer, type Position } from '../support/language-server.js';
import { ROOT, temporaryFolder } from '../support/rooms.js';
import { fake, write } from '../runners/config/support.js';

describe('experiment files in an editor', function () {
  this.timeout(60_000);
  let server: LanguageServer;
  before(async () => {
    server = await LanguageServer.start();
  });
  after(() => server.stop());

  let count = 0;
  /** Opens a file; `|` in the text is the cursor. */
  async function open(text: string, schema = join(SCHEMAS, 'experiment.schema.json')) {
    const file = join(temporaryFolder(), `x${count++}.yaml`);
    const whole = `# yaml-language-server: $schema=${schema}\n${text}`;
    const at = whole.indexOf('|');
    const before = whole.slice(0, at).split('\n');
    const position: Position = { line: before.length - 1, character: before.at(-1)!.length };
    const diagnostics = await server.open(file, at < 0 ? whole : whole.slice(0, at) + whole.slice(at + 1));
    return { file, position, diagnostics };
  }
  const offered = async (text: string, schema?: string) => {
    const { file, position } = await open(text, schema);
    return server.complete(file, position);
  };
  const shown = async (text: string) => {
    const { file, position } = await open(text);
    return server.hover(file, position);
  };
  const flagged = async (text: string, schema?: string) =>
    (await open(text, schema)).diagnostics.map(
      ({ message, range: { start, end } }) =>
        `${start.line}:${start.character}-${end.line}:${end.character} ${message.split('\n')[0]}`,
    );

  it('nothing is wrong with the shipped files, which all name the schema', async () => {
    const experiments = join(ROOT, 'experiments');
    const files = readdirSync(experiments, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
    expect(files).to.have.length.at.least(3);
    for (const name of files) {
      const file = join(experiments, name);
      const text = readFileSync(file, 'utf8');
      expect(text, name).to.match(/^# yaml-language-server: \$schema=(\.\.\/)+schemas\/experiment.schema.json\n/);
      expect(await server.open(file, text), name).to.deep.equal([]);
    }
  });

  it('completion offers sections, component names with their summaries, and the options of the chosen type', async () => {
    expect([...(await offered('name: x\n|')).keys()]).to.include.members(['extends', 'rows', 'sweep', 'model', 'scheme']);
    const schemes = await offered('scheme:\n  type: |\n');
    expect([...schemes.keys()]).to.include.members(['equal', 'lps', 'prioritization']);
    const options = await offered('scheme:\n  type: lps\n  |\n');
    expect([...options.keys()]).to.include.members(['spread', 'history']).and.not.include('weights');
    expect(options.get('spread')).to.contain('kappa of Eq 6');
    const inRow = await offered('rows:\n  mine:\n    model:\n      interaction:\n        type: cfm\n        |\n');
    expect([...inRow.keys()]).to.include.members(['merge', 'coherence']);
    expect([...(await offered('model:\n  interaction:\n    type: cfm\n    merge: |\n')).keys()]).to.include.members([
      'affinity',
      'channel',
    ]);
  });

  it('hover shows what a section and an option mean', async () => {
    expect(await shown('sch|eme:\n  type: lps\n')).to.contain('Loss Prioritization Scheme');
    expect(await shown('scheme:\n  type: lps\n  spr|ead: 2\n')).to.contain('kappa of Eq 6');
    expect(await shown('rows:\n  a:\n    train:\n      epo|chs: 2\n')).to.contain('Passes over the training split');
  });

  it('a typo is flagged where it is written', async () => {
    expect(await flagged('scheme:\n  type: lps\n  spraed: 2\n')).to.deep.equal(['3:2-3:8 Property spraed is not allowed.']);
    const [name] = await flagged('rows:\n  mine:\n    model: { interaction: { type: cfn } }\n');
    expect(name).to.match(/^3:34-3:37 Value is not accepted. Valid values: .*"cfm"/);
    expect(await flagged('trian: { epochs: 2 }\n')).to.deep.equal(['1:0-1:5 Property trian is not allowed.']);
    const [value] = await flagged('model: { interaction: { type: cfm, merge: chanel } }\n');
    expect(value).to.match(/^1:42-1:48 /);
    expect(await flagged('train: { epochs: many }\n')).to.have.length(1);
  });

  it('variables fit wherever a value does', async () => {
    expect(
      await flagged(`variables: { epochs: 3, merge: { default: channel, environment: MERGE }, size: [64, 64], name: a }
train: { epochs: "\${epochs}", clip: "\${epochs}" }
model: { interaction: { type: cfm, merge: "\${merge}" } }
augment: { type: sv, size: "\${size}" }
evaluate: { quantize: "\${epochs}", every: "\${epochs:-2}" }
rows: { a: { variables: { epochs: 4 }, augment: { size: ["\${epochs}", 64] } } }
optimizer: { type: sgd, groups: [{ parameters: "*", rate: "\${epochs}" }] }
sweep: { grid: { variables.epochs: [1, 2], scheme: { plain: { type: equal } } }, cases: { b: {} } }
`),
    ).to.deep.equal([]);
    expect(await flagged('variables: { x: { defualt: 3 } }\n')).to.have.length(1);
  });

  it('a schema written for plugins knows them', async () => {
    const shipped = new Catalog();
    for (const entry of catalog.list()) if (!entry.plugin && !entry.file.includes('/test/')) shipped.add(entry);
    shipped.add(
      fake('interaction', 'my-gate', { strength: { description: 'How much of it.', type: 'number', default: 1 } }),
    );
    const folder = write({ 'study.schema.json': JSON.stringify(bundledSchema(shipped, SCHEMAS)) });
    const schema = join(folder, 'study.schema.json');
    expect([...(await offered('model:\n  interaction:\n    type: |\n', schema)).keys()]).to.include.members(['cfm', 'my-gate']);
    const options = await offered('rows:\n  a:\n    model:\n      interaction:\n        type: my-gate\n        |\n', schema);
    expect(options.get('strength')).to.contain('How much of it.');
    expect(await flagged('model: { interaction: { type: my-gate, strenght: 1 } }\n', schema)).to.deep.equal([
      '1:39-1:47 Property strenght is not allowed.',
    ]);
    expect(await flagged('model: { interaction: { type: my-gate, strength: 1 } }\n')).to.have.length.at.least(1);
  });
});
