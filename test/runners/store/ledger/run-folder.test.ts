import { expect } from 'chai';
import { slug } from '../../../../runners/store/ledger/run-folder.js';

describe('folder names', () => {
  it('are short and plain whatever the row is called', () => {
    expect(slug('MT-CP w/o CFM & SRM')).to.equal('mt-cp-w-o-cfm-and-srm');
    expect(slug('<script>')).to.equal('script');
    expect(slug('äöü')).to.equal('row');
    const swept = slug(`MT-CP, ${Array.from({ length: 40 }, (_, i) => `option${i}=[96, 128]`).join(', ')}`);
    expect(swept).to.match(/^mt-cp-option0-96-128-.*[a-z0-9]$/);
    expect(swept.length).to.be.at.most(100);
  });
});
