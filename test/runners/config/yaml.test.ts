import { expect } from 'chai';
import { follow, toValue, type YamlNode } from '../../../runners/config/nodes.js';
import { frame, SourceText, where } from '../../../runners/config/source-text.js';
import { parseYaml } from '../../../runners/config/yaml.js';

function parse(text: string): YamlNode {
  return parseYaml(new SourceText('x.yaml', text, '/', 'file'), (fault) => {
    throw new Error(fault.message);
  })!;
}

describe('located YAML', () => {
  it('reads what js-yaml reads', () => {
    const text = [
      'plain: some text',
      "single: 'it''s'",
      'double: "a\\tb"',
      'folded: >',
      '  two',
      '  lines',
      'literal: |-',
      '  two',
      '  lines',
      'numbers: [1, -2.5, 1e-4, 0x10, .inf]',
      'words: [true, null, yes, ~]',
      'nothing:',
      'tagged: !!str 12',
      'list:',
      '- a: 1',
      '  b: 2',
      '- []',
    ].join('\n');
    expect(toValue(parse(text))).to.deep.equal({
      plain: 'some text',
      single: "it's",
      double: 'a\tb',
      folded: 'two lines\n',
      literal: 'two\nlines',
      numbers: [1, -2.5, 0.0001, 16, Infinity],
      words: [true, null, 'yes', null],
      nothing: null,
      tagged: '12',
      list: [{ a: 1, b: 2 }, []],
    });
  });

  it('follows aliases to where the value was written', () => {
    const root = parse('a: &x { deep: 1 }\nb: *x\nc: &y 5\nd: [*y]\n');
    expect(toValue(root)).to.deep.equal({ a: { deep: 1 }, b: { deep: 1 }, c: 5, d: [5] });
    expect(where(follow(root, ['b', 'deep']).node.mark)).to.equal('x.yaml:1:15');
    expect(where(follow(root, ['b']).key!)).to.equal('x.yaml:2:1');
  });

  it('knows lines and columns after a byte order mark and with CRLF', () => {
    const root = parse('\ufeffa: 1\r\nb:\r\n  c: "x"\r\n');
    const place = follow(root, ['b', 'c']);
    expect(where(place.node.mark)).to.equal('x.yaml:3:6');
    expect(frame(place.node.mark)).to.equal('  2 | b:\n> 3 |   c: "x"\n    |      ^^^\n  4 | ');
  });

  it('marks a quoted value with its quotes and a key of its own', () => {
    const place = follow(parse("'STL depth': 'x'\n"), ['STL depth']);
    expect([place.key!.start, place.key!.end]).to.deep.equal([0, 11]);
    expect([place.node.mark.start, place.node.mark.end]).to.deep.equal([13, 16]);
  });

  it('says how far a path leads', () => {
    const root = parse('a: { b: [1, { c: 2 }] }');
    expect(follow(root, ['a', 'b', '1', 'c'])).to.include({ found: true });
    expect(follow(root, ['a', 'x', 'y']).found).to.equal(false);
    expect(where(follow(root, ['a', 'x', 'y']).key!)).to.equal('x.yaml:1:1');
  });
});
