// A test must not be passed over in silence: one that cannot run here says why.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from './rooms.js';

describe('pending tests', () => {
  it('go through pending(), which prints the reason', () => {
    const folder = join(ROOT, 'test');
    const silent = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/support\/pending(\.test)?\.ts$/.test(file))
      .filter((file) =>
        /\bthis\.skip\(|\bsuite\.skip\(|\b(it|describe|context)\.skip\(|\bx(it|describe)\(/.test(
          readFileSync(join(folder, file), 'utf8'),
        ),
      );
    expect(silent).to.deep.equal([]);
  });

  it('are not made by .only in another file', () => {
    const folder = join(ROOT, 'test');
    const alone = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .filter((file) => /^\s*(it|describe|context)\.only\(/m.test(readFileSync(join(folder, file), 'utf8')));
    expect(alone).to.deep.equal([]);
  });
});
