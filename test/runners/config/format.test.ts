import { expect } from 'chai';
import { MtcpError, MtcpErrors } from '../../../registry/errors.js';
import { formatErrors, wantsColor } from '../../../runners/config/format.js';

describe('error blocks', () => {
  const error = new MtcpError('config', 'unknown option "x"', {
    where: 'a.yaml:2:1',
    frame: '  1 | a: 1\n> 2 | x: 1\n    | ^\nextended by b.yaml:1:1',
    hint: 'did you mean "y"?',
  });
  const plain =
    'a.yaml:2:1: unknown option "x"\n  1 | a: 1\n> 2 | x: 1\n    | ^\nextended by b.yaml:1:1\ndid you mean "y"?';

  it('are plain text without colour, with an empty line between two', () => {
    expect(formatErrors([error, error])).to.equal(`${plain}\n\n${plain}`);
    expect(formatErrors([new MtcpErrors('config', [error, error])])).to.equal(`${plain}\n\n${plain}`);
  });

  it('say the same in colour', () => {
    const colored = formatErrors([error], { color: true });
    const escape = String.fromCharCode(27);
    expect(colored).to.contain(escape);
    expect(colored.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '')).to.equal(plain);
  });

  it('are coloured only at a terminal whose owner has not refused', () => {
    expect(wantsColor({ isTTY: true }, {})).to.equal(true);
    expect(wantsColor({ isTTY: true }, { NO_COLOR: '1' })).to.equal(false);
    expect(wantsColor({ isTTY: true }, { NO_COLOR: '' })).to.equal(true);
    expect(wantsColor({ isTTY: true }, { TERM: 'dumb' })).to.equal(false);
    expect(wantsColor({}, {})).to.equal(false);
  });
});
