// The identity of a data folder is what is in its files: noticed whatever a change keeps (names, sizes, times), named,
// and cheap to look at again.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import '../../../../modules/datasets/nyud-v2.js';
import { changesBetween, contentsOf } from '../../../../modules/datasets/folders/contents.js';
import { NYUD_TASKS } from '../../../../modules/datasets/folders/nyud.js';
import { createTrialContainer } from '../../../../registry/container.js';
import { reference, rejection } from '../../../support/reference.js';
import { temporaryFolder } from '../../../support/rooms.js';
import { pending } from '../../../support/pending.js';

const quiet = () => undefined;
const prepare = (root: string) =>
  createTrialContainer(NYUD_TASKS.filter(({ name }) => name !== 'edge'))
    .create('dataset', { type: 'nyud-v2', root })
    .prepare(quiet);

function nyud(): string {
  const root = temporaryFolder();
  cpSync(reference('data/nyud'), root, { recursive: true });
  return root;
}

/** Another byte in the file, with the size and the times that it had. */
function changeInPlace(file: string): void {
  const { atime, mtime } = statSync(file);
  const bytes = readFileSync(file);
  bytes[bytes.length - 2] ^= 1;
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
}

/** Files that were not written just now, so that their times can be trusted. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 2100));

describe('the identity of a data folder', function () {
  this.timeout(30_000);
  let cache: string | undefined;
  before(() => (cache = process.env.MTCP_CACHE));
  beforeEach(() => (process.env.MTCP_CACHE = temporaryFolder()));
  afterEach(() => (process.env.MTCP_CACHE = cache));

  it('is another one when a file changed in place, and the file is named', async () => {
    const root = nyud();
    const before = await prepare(root);
    expect(before.warnings).to.deep.equal([]);
    expect((await prepare(root)).digest).to.equal(before.digest);
    changeInPlace(join(root, 'depth/0001.npy'));
    const after = await prepare(root);
    expect(after.digest).not.to.equal(before.digest);
    expect(after.warnings!.join()).to.contain('changed since mtcp saw them last: depth/0001.npy');
    expect(changesBetween(before.digest, after.digest)).to.equal('changed: depth/0001.npy');
    expect(changesBetween('0123456789abcdef', after.digest)).to.equal(undefined);
    // Said once; the state is known now.
    expect((await prepare(root)).warnings).to.deep.equal([]);
  });

  it('is the same for a copy, wherever it lies, and leaves nothing in the folder', async () => {
    const [root, copy] = [nyud(), temporaryFolder()];
    const list = () => readdirSync(root, { recursive: true });
    const names = list();
    const { digest } = await prepare(root);
    expect(list()).to.deep.equal(names);
    cpSync(root, copy, { recursive: true });
    expect((await prepare(copy)).digest).to.equal(digest);
  });

  it('costs no reading where nothing changed', async () => {
    const root = temporaryFolder();
    const names = Array.from({ length: 300 }, (_, i) => `${i}.txt`);
    for (const name of names) writeFileSync(join(root, name), name);
    await settle();
    const read: number[] = [];
    const look = async () => {
      read.length = 0;
      const { hashes } = await contentsOf(root, names, (done) => read.push(done));
      return hashes;
    };
    const first = await look();
    expect(read.at(-1)).to.equal(300);
    const second = await look();
    expect(read).to.deep.equal([]);
    expect([...second]).to.deep.equal([...first]);
    writeFileSync(join(root, '7.txt'), 'eight');
    const third = await look();
    expect(read).to.deep.equal([1]);
    expect([...third].filter(([name, hash]) => first.get(name) !== hash).map(([name]) => name)).to.deep.equal(
      ['7.txt'],
    );
  });

  it('does not believe a cache that is damaged, nor need one', async () => {
    const root = nyud();
    await settle();
    const { digest } = await prepare(root);
    const home = join(process.env.MTCP_CACHE!, 'contents');
    for (const name of readdirSync(home)) {
      const text = readFileSync(join(home, name), 'utf8');
      writeFileSync(
        join(home, name),
        text.replace(/\n(.)/, (_, first) => `\n${first === 'x' ? 'y' : 'x'}`),
      );
    }
    expect((await prepare(root)).digest).to.equal(digest);
    // A file in the way: nothing can be kept, which is said.
    process.env.MTCP_CACHE = join(temporaryFolder(), 'file');
    writeFileSync(process.env.MTCP_CACHE, '');
    const info = await prepare(root);
    expect(info.digest).to.equal(digest);
    expect(info.warnings!.join()).to.contain('MTCP_CACHE');
  });

  it('of 100,000 files is looked at again in seconds', async () => {
    const root = temporaryFolder();
    const names = Array.from({ length: 4000 }, (_, i) => `${i % 20}/${i}`);
    for (let i = 0; i < 20; i++) mkdirSync(join(root, String(i)));
    for (const name of names) writeFileSync(join(root, name), '');
    await settle();
    await contentsOf(root, names, quiet);
    const times: number[] = [];
    for (let look = 0; look < 3; look++) {
      const began = performance.now();
      await contentsOf(root, names, quiet);
      times.push(performance.now() - began);
    }
    // A twenty-fifth of the files, in a twenty-fifth of ten seconds.
    expect(Math.min(...times)).to.be.below(400);
  });

  it('refuses lists of ids that lead out of the folder', async () => {
    for (const id of ['../0001', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\..\\..\\b', 'a\u0000b']) {
      const root = nyud();
      writeFileSync(join(root, 'gt_sets/train.txt'), `${id}\n`);
      const error = await rejection(prepare(root));
      expect(error.message, id).to.contain('leads out of the folder');
      expect(error.where).to.equal(join(root, 'gt_sets/train.txt'));
    }
  });

  it('says which file cannot be read', async function () {
    if (process.getuid?.() === 0) pending(this, 'root may read everything');
    const root = nyud();
    chmodSync(join(root, 'depth/0001.npy'), 0);
    expect((await rejection(prepare(root))).format())
      .to.contain('depth/0001.npy')
      .and.contain('permission denied');
  });
});
