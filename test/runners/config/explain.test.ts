import { expect } from 'chai';
import { unknownName } from '../../../runners/config/explain.js';

describe('unknown names', () => {
  const many = Array.from({ length: 28 }, (_, i) => `scheme${i}`);

  it('come with what is near, and with everything unless that is much', () => {
    expect(unknownName('row', 'MT-PC', ['MT-CP', 'STL']).hint).to.equal(
      'did you mean "MT-CP"? known: MT-CP, STL',
    );
    expect(unknownName('row', 'other', ['MT-CP', 'STL']).hint).to.equal('known: MT-CP, STL');
    expect(unknownName('scheme', 'scheme28', many).hint).to.match(/^did you mean "scheme.*\? there are 28$/);
    expect(unknownName('scheme', 'other', many).hint)
      .to.contain('known: scheme0, ')
      .and.to.contain('scheme27');
    expect(unknownName('row', 'x', []).hint).to.equal('there is no row to choose from');
  });
});
