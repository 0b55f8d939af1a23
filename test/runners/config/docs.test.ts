// The examples of docs/experiments.md do what the text says.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { formatErrors } from '../../../runners/config/format.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import { mergeAll } from '../../../runners/config/merge.js';
import { toValue, type YamlMap } from '../../../runners/config/nodes.js';
import { SourceText } from '../../../runners/config/source-text.js';
import { parseYaml } from '../../../runners/config/yaml.js';
import { fakeSchemas, GOOD, HERE, write } from './support.js';

const ROOT = join(HERE, '../../..');
const MAIN = join(ROOT, 'dist/runners/cli/main.js');
const guide = readFileSync(join(ROOT, 'docs/experiments.md'), 'utf8');
const examples = (kind: string) =>
  [...guide.matchAll(/```yaml (\w+)\n(.*?)```/gs)]
    .filter(([, name]) => name === kind)
    .map(([, , text]) => text);

describe('docs/experiments.md', () => {
  const [table, dependent] = examples('experiment');

  it('shows an experiment that loads', () => {
    const folder = write({ 'x.yaml': table });
    mkdirSync(join(folder, 'data/NYUD_MT'), { recursive: true });
    const file = join(folder, 'x.yaml');
    expect(formatErrors(validateFiles([file]))).to.equal('');
    expect(loadExperiment(file).trials).to.have.length(12);
    expect(loadExperiment(file, { profile: 'full' }).trials[0].config.train.epochs).to.equal(100);
  });

  for (const [name, text] of Object.entries({ table, dependent }))
    it(`shows networks that can be built: ${name}`, function () {
      this.timeout(60_000);
      const args = ['validate', '--deep', '--profile', 'embedded', 'x.yaml'].filter(
        (arg) => name === 'table' || !/profile|embedded/.test(arg),
      );
      const cwd = write({ 'x.yaml': text });
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd, encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      expect(stderr).not.to.contain('warning');
    });

  it('shows sweeps with the rows they make', () => {
    const sweeps = examples('sweep');
    expect(sweeps).to.have.length(2);
    for (const sweep of sweeps) {
      const [text, rows] = sweep.split('---\n');
      const file = join(write({ 'x.yaml': GOOD + text }), 'x.yaml');
      const { trials } = loadExperiment(file, { schemas: fakeSchemas() });
      expect(trials.map(({ row }) => row)).to.deep.equal(load(rows));
    }
  });

  it('shows variables with what they become', () => {
    const shown = examples('variables');
    expect(shown).to.have.length(2);
    for (const example of shown) {
      const [text, result] = example.split('---\n');
      const given = /^# with: (.*)$/m.exec(text)?.[1];
      const environment = (given ? load(given) : {}) as Record<string, string>;
      Object.assign(process.env, environment);
      try {
        const folder = write({ 'base.yaml': GOOD, 'x.yaml': `extends: base.yaml\n${text}` });
        const [{ config }] = loadExperiment(join(folder, 'x.yaml'), { schemas: fakeSchemas() }).trials;
        for (const [section, expected] of Object.entries(load(result) as Record<string, object>))
          for (const [option, value] of Object.entries(expected)) {
            const actual = (config as unknown as Record<string, Record<string, unknown>>)[section][option];
            if (typeof value === 'object' && !Array.isArray(value)) expect(actual).to.include(value);
            else expect(actual).to.deep.equal(value);
          }
      } finally {
        for (const name of Object.keys(environment)) delete process.env[name];
      }
    }
  });

  it('shows what mtcp config show prints', () => {
    const [, shown] = /```text\n(scheme:.*?)```/s.exec(guide)!;
    const args = [MAIN, 'config', 'show', 'experiments/table3.yaml'];
    const printed = execFileSync(
      process.execPath,
      [...args, '--profile', 'smoke', '--row', 'STL depth', '--origin'],
      {
        cwd: ROOT,
        encoding: 'utf8',
      },
    );
    // The page shows a part, so its comments may stand in another column.
    const plain = (text: string) => text.replaceAll(/ +#/g, ' #');
    for (const section of plain(shown).split(/^(?=\w)/m))
      expect(plain(printed), 'docs/experiments.md has to show what is printed now').to.contain(section);
  });

  it('shows every rule of merging with its result', () => {
    const rules = examples('merge');
    expect(rules).to.have.length(4);
    for (const rule of rules) {
      const [below, above, result] = rule.split('---\n');
      const layers = [below, above].map(
        (text) => parseYaml(new SourceText('x', text, '/', 'file'), () => {}) as YamlMap,
      );
      expect(toValue(mergeAll(layers[0].mark, layers))).to.deep.equal(load(result));
    }
  });
});
