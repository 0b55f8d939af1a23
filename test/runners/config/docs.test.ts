// The examples of docs/experiments.md do what the text says.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { formatErrors } from '../../../runners/config/format.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import { mergeAll } from '../../../runners/config/merge.js';
import { toValue, type MapNode } from '../../../runners/config/nodes.js';
import { Source } from '../../../runners/config/source.js';
import { parseYaml } from '../../../runners/config/yaml.js';
import { fakeSchemas, HERE, write } from './support.js';

const guide = readFileSync(join(HERE, '../../../docs/experiments.md'), 'utf8');
const examples = (kind: string) =>
  [...guide.matchAll(/```yaml (\w+)\n(.*?)```/gs)]
    .filter(([, name]) => name === kind)
    .map(([, , text]) => text);

describe('docs/experiments.md', () => {
  it('shows an experiment that loads', () => {
    const schemas = fakeSchemas();
    const [text] = examples('experiment');
    const file = join(write({ 'x.yaml': text }), 'x.yaml');
    expect(formatErrors(validateFiles([file], { schemas }))).to.equal('');
    expect(loadExperiment(file, { schemas }).trials).to.have.length(12);
    expect(loadExperiment(file, { schemas, profile: 'full' }).trials[0].config.train.epochs).to.equal(100);
  });

  it('shows every rule of merging with its result', () => {
    const rules = examples('merge');
    expect(rules).to.have.length(4);
    for (const rule of rules) {
      const [below, above, result] = rule.split('---\n');
      const layers = [below, above].map(
        (text) => parseYaml(new Source('x', text, '/', 'file'), () => {}) as MapNode,
      );
      expect(toValue(mergeAll(layers[0].mark, layers))).to.deep.equal(load(result));
    }
  });
});
