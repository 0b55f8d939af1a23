// BibTeX is read and written; what is not BibTeX is named with its line.
import { expect } from 'chai';
import { MtcpError } from '../../../registry/errors.js';
import { bibtexOf, parseBibtex, plainValue, shortCitation } from '../../../runners/support/bibtex.js';

const TEXT = `A comment: % of no entry
@Article{one2020, author = {K{\\"o}rner, Marco and S{\\o}gaard, Anders}, title = "A {B} and
  C", year = 2020}

@misc{two, author = {{The Makers}}, note = {a \\{ b}, }
`;

describe('BibTeX', () => {
  it('is read: braces, quotes, numbers, accents', () => {
    const [one, two, ...rest] = parseBibtex(TEXT, 'x.bib');
    expect(rest).to.deep.equal([]);
    expect(one).to.deep.equal({
      type: 'article',
      key: 'one2020',
      fields: { author: 'K{\\"o}rner, Marco and S{\\o}gaard, Anders', title: 'A {B} and C', year: '2020' },
    });
    expect(shortCitation(one)).to.equal('Körner and Søgaard, 2020');
    expect(shortCitation(two)).to.equal('The Makers, n.d.');
    expect(plainValue("D{\\'e}sid{\\'e}ri \\& Doll{\\'a}r, 3--4, {\\'i}")).to.equal(
      'Désidéri & Dollár, 3-4, í',
    );
  });

  it('is written as it was read', () => {
    const entries = parseBibtex(TEXT, 'x.bib');
    expect(parseBibtex(entries.map(bibtexOf).join('\n'), 'again')).to.deep.equal(entries);
  });

  it('that is not in order is named with its line', () => {
    const wrong: [string, RegExp, number][] = [
      ['\n@article{a, title = {x}', /"a" has no end|"," is missing/, 2],
      ['@article{a,\n title = {x\n', /a value has no end/, 3],
      ['@article{a, title = x}', /in braces or in quotes/, 1],
      ['@article{a, title {x}}', /"=" is missing/, 1],
      ['@article{, title = {x}}', /"" is not a key/, 1],
      ['@string{a = {x}}', /"@string" is not an entry/, 1],
      ['@article{a, year = 1, Year = 2}', /two fields "year"/, 1],
      ['@article{a, year = {1} title = {b}}', /"," is missing/, 1],
    ];
    for (const [text, message, line] of wrong)
      expect(() => parseBibtex(text, 'x.bib'), text)
        .to.throw(MtcpError, message)
        .with.property('where', `x.bib:${line}`);
  });
});
