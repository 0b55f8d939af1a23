// modules/ is what it says: one component a file, in the folder of its kind, and all of them announced.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, relative, sep } from 'node:path';
import { expect } from 'chai';
import '../../modules/index.js';
import { catalog } from '../../registry/catalog.js';
import { KINDS } from '../../registry/entry.js';

const MODULES = fileURLToPath(new URL('../../modules/', import.meta.url));
/** Kinds whose folder is not their name and an "s". */
const FOLDERS: Record<string, string> = { auxiliary: 'auxiliary', loss: 'losses' };
const folderOf = (kind: string) => FOLDERS[kind] ?? `${kind}s`;
/** Folders inside those of kinds that hold what components share. */
const SHARED = new Set(['machinery', 'folders', 'formats', 'prepare', 'rendered']);

const files = readdirSync(MODULES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.js'),
);
const announced = catalog.list().filter(({ file }) => file.startsWith(MODULES));

describe('modules/', () => {
  it('has one component in a file, below the folder of its kind', () => {
    const taken = new Map<string, string>();
    for (const { kind, name, file } of announced) {
      const path = relative(MODULES, file);
      expect(path.split(sep)[0], `${kind} ${name}`).to.equal(folderOf(kind));
      expect(taken.get(path), `${path} announces two`).to.equal(undefined);
      taken.set(path, name);
    }
    expect(taken.size).to.be.greaterThan(80);
  });

  it('keeps what is no component out of the folders of kinds', () => {
    const kinds = new Set(Object.keys(KINDS).map(folderOf));
    const strangers = files.filter((file) => {
      const [top, ...rest] = file.split(sep);
      return (
        kinds.has(top) &&
        !rest.some((part) => SHARED.has(part)) &&
        !announced.some((entry) => entry.file === join(MODULES, file))
      );
    });
    expect(strangers).to.deep.equal([]);
  });

  it('announces every component from index.js', () => {
    const declaring = files.filter((file) =>
      /^ {4}component\(\{/m.test(readFileSync(join(MODULES, file), 'utf8')),
    );
    expect(declaring.map((file) => join(MODULES, file)).sort()).to.deep.equal(
      announced.map(({ file }) => file).sort(),
    );
  });
});
