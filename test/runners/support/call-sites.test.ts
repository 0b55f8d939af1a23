import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { callSites } from '../../../runners/support/call-sites.js';
import { temporaryFolder } from '../../support/rooms.js';

const thrown = (f: () => unknown): unknown => {
  try {
    f();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('call sites', () => {
  it('know the file, line and column of an exception whatever the path', async () => {
    const folder = join(temporaryFolder(), 'mtcp (1):2', 'a at b (c:3:4)');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'x.cjs');
    writeFileSync(file, '\nexports.f = () => {\n  throw new Error("no");\n};\n');
    const { f } = createRequire(import.meta.url)(file) as { f(): void };
    expect(callSites(thrown(f))[0]).to.deep.equal({ script: file, file, line: 3, column: 9 });

    const module = join(folder, 'y.mjs');
    writeFileSync(module, 'export const g = () => undefined.g;\n');
    const { g } = (await import(pathToFileURL(module).href)) as { g(): void };
    expect(callSites(thrown(g))[0]).to.deep.equal({ script: module, file: module, line: 1, column: 34 });
  });

  it('leave the stack trace readable and other handlers alone', () => {
    const error = thrown(() => (undefined as unknown as { a: number }).a) as Error;
    const before = Error.prepareStackTrace;
    expect(callSites(error)[0].file).to.match(/call-sites\.test\.(js|ts)$/);
    expect(Error.prepareStackTrace).to.equal(before);
    expect(error.stack).to.match(/^TypeError: Cannot read.*\n    at .*call-sites\.test/);
  });

  it('of what is no exception are none', () => {
    for (const value of ['text', undefined, { stack: 'at /a.ts:1:2' }])
      expect(callSites(value)).to.deep.equal([]);
  });
});
