// Each file in broken/ has at least one fault; the .txt beside it is everything that mtcp says about it.
// `# with:` in a file gives the options to check it with. After a change of wording,
// MTCP_UPDATE_GOLDEN=1 npx mocha dist/test/runners/config/broken.test.js rewrites the texts: read the diff.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { MtcpErrors, type MtcpError } from '../../../registry/errors.js';
import { display } from '../../../runners/config/compose.js';
import { formatErrors } from '../../../runners/config/format.js';
import { loadExperiment, validateFiles } from '../../../runners/config/load.js';
import type { LoadOptions } from '../../../runners/config/experiment.js';
import { fakeSchemas, HERE, write } from './support.js';

const FOLDER = join(HERE, 'broken');

describe('broken experiment files', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
  let schemas: string;
  before(() => {
    schemas = fakeSchemas();
  });

  it('are many', () => {
    expect(files.length).to.be.at.least(30);
  });

  for (const name of files)
    it(name.replace('.yaml', ''), () => {
      const file = join(FOLDER, name);
      const said = messages(file, schemas).replaceAll(`${display(FOLDER)}/`, '');
      const golden = file.replace('.yaml', '.txt');
      if (process.env.MTCP_UPDATE_GOLDEN) writeFileSync(golden, said);
      expect(said).to.equal(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
    });

  it('a file that does not exist', () => {
    const folder = write({ 'table3.yaml': 'name: x', 'notes.txt': '' });
    const file = join(folder, 'tabel3.yaml');
    expect(formatErrors(validateFiles([file], { schemas }))).to.equal(
      `${display(file)}: there is no such file\ndid you mean "table3.yaml"?`,
    );
  });
});

function messages(file: string, schemas: string): string {
  const written = /^# with: (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1];
  const { load: loads, ...options } = (written ? load(written) : {}) as LoadOptions & { load?: boolean };
  const errors = loads
    ? thrown(() => loadExperiment(file, { ...options, schemas }))
    : validateFiles([file], { ...options, schemas });
  return `${formatErrors(errors)}\n`;
}

function thrown(action: () => unknown): readonly MtcpError[] {
  try {
    action();
  } catch (error) {
    return error instanceof MtcpErrors ? error.errors : [error as MtcpError];
  }
  return [];
}
