import { expect } from 'chai';
import { merge, mergeAll } from '../../../runners/config/merge.js';
import { toValue, type YamlMap } from '../../../runners/config/nodes.js';
import { SourceText, where } from '../../../runners/config/source-text.js';
import { parseYaml } from '../../../runners/config/yaml.js';

function parse(text: string, label = 'x.yaml'): YamlMap {
  const node = parseYaml(new SourceText(label, text, '/', 'file'), (fault) => {
    throw new Error(fault.message);
  });
  return node as YamlMap;
}

/** What layers, bottom first, become. */
function merged(...layers: string[]): unknown {
  const nodes = layers.map((layer) => parse(layer));
  return toValue(mergeAll(nodes[0].mark, nodes));
}

describe('merging', () => {
  it('merges maps in depth and keeps the order of the lower one', () => {
    const result = merged('{ a: { x: 1, y: { z: 2 } }, b: 3 }', '{ c: 5, a: { y: { w: 4 } } }');
    expect(result).to.deep.equal({ a: { x: 1, y: { z: 2, w: 4 } }, b: 3, c: 5 });
    expect(Object.keys(result as object)).to.deep.equal(['a', 'b', 'c']);
  });

  it('replaces lists as a whole', () => {
    expect(merged('{ size: [480, 640], deep: [[1], [2]] }', '{ size: [96], deep: [[3]] }')).to.deep.equal({
      size: [96],
      deep: [[3]],
    });
  });

  it('replaces a scalar by a map and a map by a scalar', () => {
    expect(merged('{ a: 1, b: { c: 2 } }', '{ a: { d: 3 }, b: 4 }')).to.deep.equal({ a: { d: 3 }, b: 4 });
  });

  it('removes with null, at any depth, also what is not there', () => {
    expect(merged('{ a: 1, b: { c: 2, d: 3 } }', '{ a: null, b: { c: null }, e: null }')).to.deep.equal({
      b: { d: 3 },
    });
    expect(merged('{ a: { b: null, c: 1 } }')).to.deep.equal({ a: { c: 1 } });
    expect(merged('{ a: [null, { b: null, c: 1 }] }')).to.deep.equal({ a: [null, { c: 1 }] });
  });

  it('starts again after a removal', () => {
    expect(merged('{ a: { x: 1 } }', '{ a: null }', '{ a: { y: 2 } }')).to.deep.equal({ a: { y: 2 } });
  });

  it('replaces a slot whose type changes and merges one whose type stays or is left out', () => {
    const base = '{ scheme: { type: dwa, temperature: 2 } }';
    expect(merged(base, '{ scheme: { type: equal } }')).to.deep.equal({ scheme: { type: 'equal' } });
    expect(merged(base, '{ scheme: { type: dwa, window: 3 } }')).to.deep.equal({
      scheme: { type: 'dwa', temperature: 2, window: 3 },
    });
    expect(merged(base, '{ scheme: { window: 3 } }')).to.deep.equal({
      scheme: { type: 'dwa', temperature: 2, window: 3 },
    });
  });

  it('applies the rule for types inside slots too', () => {
    expect(
      merged(
        '{ model: { backbone: { type: per-task, encoder: { type: swin, variant: tiny } } } }',
        '{ model: { backbone: { encoder: { type: tiny } } } }',
      ),
    ).to.deep.equal({ model: { backbone: { type: 'per-task', encoder: { type: 'tiny' } } } });
  });

  it('keeps the mark of whoever wrote a value', () => {
    const base = parse('a: { x: 1, y: 2 }\n', 'base.yaml');
    const overlay = parse('# over\na:\n  y: 3\n', 'over.yaml');
    const a = merge(base, overlay).entries.get('a')!.value as YamlMap;
    expect(where(a.entries.get('x')!.value.mark)).to.equal('base.yaml:1:9');
    expect(where(a.entries.get('y')!.value.mark)).to.equal('over.yaml:3:6');
    expect(where(a.entries.get('y')!.key)).to.equal('over.yaml:3:3');
  });

  it('remembers removals until something is written again', () => {
    const nodes = ['{ a: 1 }', '{ a: null, b: null }', '{ b: 2 }'].map((layer) => parse(layer));
    const { removed } = mergeAll(nodes[0].mark, nodes);
    expect([...removed.keys()]).to.deep.equal(['a']);
    expect(removed.get('a')!.existed).to.equal(true);
  });
});
