// The page of a trained trial, in Chromium from a plain server of files: it says what `mtcp predict` says, can be used by
// keyboard, takes the camera, and asks no other host for anything.
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { Browser, Page } from 'playwright-core';
import { runExperiment } from '../../../../runners/app/run.js';
import { makeDemo } from '../../../../runners/inference/demo/folder.js';
import { predict } from '../../../../runners/inference/predict.js';
import { BROWSER, NO_BROWSER, openBrowser } from '../../../support/browser.js';
import { installIn, runInstalled } from '../../../support/installed.js';
import { pending } from '../../../support/pending.js';
import { experimentFile, temporaryFolder } from '../../../support/rooms.js';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** As `python3 -m http.server` would. */
async function serveFiles(folder: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const path = normalize(new URL(url, 'http://localhost').pathname);
    const file = join(folder, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    return response.end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const RUNTIME = ((): boolean => {
  try {
    return createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm') !== '';
  } catch {
    return false;
  }
})();

const ROWS = `rows:
  '<b>MT-CP</b>': { model: { interaction: null, refinement: null } }
  padded: { model: { interaction: null, refinement: null }, augment: { type: atrc, size: [64, 96] } }
`;

describe('mtcp demo', function () {
  this.timeout(240_000);
  const folders: Record<string, string> = {};
  let image: string;

  before(async () => {
    const { failed, report } = await runExperiment(experimentFile(ROWS), {
      profile: 'smoke',
      runs: temporaryFolder(),
    });
    expect(failed).to.deep.equal([]);
    for (const { row, folder } of report.json.rows) folders[row] = folder;
    image = join(temporaryFolder(), 'room.png');
    const [height, width] = [60, 90];
    const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      return (x >> 3) % 2 === (y >> 3) % 2 ? (255 * x) / width : (i * 7919) % 256;
    });
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(image);
  });

  it('says what is missing without onnxruntime-web, and writes nothing', () => {
    const folder = join(temporaryFolder(), 'mtcp');
    installIn(folder, 'onnxruntime-web');
    const out = join(folder, 'demo');
    const { status, stderr } = runInstalled(folder, 'demo', folders.padded, '-o', out);
    expect(status, stderr).to.equal(2);
    expect(stderr).to.contain('npm install --no-save onnxruntime-web@');
    expect(existsSync(out)).to.equal(false);
  });

  describe('in Chromium', () => {
    let browser: Browser;
    let server: Server;
    let address: string;
    let page: Page;
    const asked: string[] = [];
    const wrong: string[] = [];

    before(async function () {
      if (!BROWSER) return pending(this, NO_BROWSER);
      if (!RUNTIME) return pending(this, 'onnxruntime-web is not installed');
      browser = await openBrowser(['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']);
    });
    after(() => browser?.close());
    afterEach(async () => {
      await page?.close();
      server?.close();
    });

    /** @param bypassCSP for axe, a script that the policy of the page does not allow */
    async function open(row: string, size?: readonly [number, number], bypassCSP = false): Promise<void> {
      const out = join(temporaryFolder(), 'demo');
      const { files } = await makeDemo({ folder: folders[row], out, size });
      expect(files.filter((file) => !existsSync(join(out, file)))).to.deep.equal([]);
      expect(readdirSync(out)).to.include('index.html');
      server = await serveFiles(out);
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      page = await browser.newPage({ bypassCSP, viewport: { width: 1100, height: 900 } });
      asked.length = wrong.length = 0;
      page.on('request', (request) => asked.push(request.url()));
      page.on('pageerror', ({ message }) => wrong.push(message));
      page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
      await page.goto(address);
      await page.locator('#file:not([disabled])').waitFor({ timeout: 120_000 });
    }

    const drawn = async (task: string): Promise<number[]> =>
      page
        .locator('figure', { has: page.getByRole('heading', { name: task, exact: true }) })
        .locator('canvas')
        .evaluate((canvas) => {
          const { width, height } = canvas as unknown as { width: number; height: number };
          const context = (canvas as unknown as { getContext(kind: '2d'): CanvasContext }).getContext('2d');
          return Array.from(context.getImageData(0, 0, width, height).data);
        });

    async function compare(row: string, size?: readonly [number, number]): Promise<void> {
      const own = await predict({ folder: folders[row], images: [image], out: temporaryFolder(), size });
      for (const [task, { map }] of Object.entries(own.images[0].tasks)) {
        const expected = await sharp(map).ensureAlpha().raw().toBuffer();
        const got = await drawn(task);
        expect(got.length, task).to.equal(expected.length);
        const far = expected.filter((value, i) => Math.abs(value - got[i]) > 2).length;
        expect(far, task).to.be.at.most(expected.length / 1000);
      }
    }

    it('predicts what mtcp predict does, by keyboard, and asks no other host', async () => {
      await open('<b>MT-CP</b>');
      expect(await page.locator('h1').innerText()).to.equal('<b>MT-CP</b>');
      await page.keyboard.press('Tab');
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Space')]);
      await chooser.setFiles(image);
      await page.getByText(/room\.png, 90 x 60: the network took/).waitFor({ timeout: 60_000 });
      await compare('<b>MT-CP</b>');
      // Legends, and values by arrow keys.
      expect(await page.locator('figure', { hasText: 'depth' }).locator('.scale').innerText()).to.match(
        /^[\d.]+ m\s+[\d.]+ m$/,
      );
      const depth = page.locator('figure', { hasText: 'depth' });
      await depth.locator('canvas').focus();
      await page.keyboard.press('ArrowRight');
      expect(await depth.locator('output').innerText()).to.match(/^47, 30: -?\d+\.\d\d$/);
      if (process.env.MTCP_SHOTS)
        await page.screenshot({ path: join(process.env.MTCP_SHOTS, 'demo.png'), fullPage: true });
      const others = asked.filter((url) => !url.startsWith(address) && !/^(data|blob):/.test(url));
      expect(others).to.deep.equal([]);
      expect(asked).to.include(`${address}ort/ort-wasm-simd-threaded.wasm`);
      expect(wrong).to.deep.equal([]);

      const junk = join(temporaryFolder(), 'junk.png');
      writeFileSync(junk, 'not a picture');
      await page.locator('#file').setInputFiles(junk);
      await page.getByText(/junk\.png cannot be read as a picture/).waitFor();
    });

    it('is accessible by the rules of axe, with a prediction', async () => {
      await open('<b>MT-CP</b>', undefined, true);
      await page.locator('#file').setInputFiles(image);
      await page.getByText(/room\.png, 90 x 60: the network took/).waitFor({ timeout: 60_000 });
      await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const found = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
          'axe.run().then(({ violations }) => violations)',
        );
        expect(found.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`)).to.deep.equal([]);
      }
    });

    it('pads where the pipeline pads, and takes the camera', async () => {
      await open('padded', [96, 96]);
      await page.locator('#file').setInputFiles(image);
      await page.getByText(/room\.png, 90 x 60: the network took/).waitFor({ timeout: 60_000 });
      await compare('padded', [96, 96]);
      await page.getByRole('button', { name: 'Use the camera' }).click();
      await page.getByText(/^camera, \d+ x \d+, made smaller from \d+ x \d+/).waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Stop the camera' }).click();
      await page.getByRole('button', { name: 'Use the camera' }).waitFor();
      expect(wrong).to.deep.equal([]);
    });
  });
});

/** TypeScript declares it among the types of browsers only. */
interface CanvasContext {
  getImageData(x: number, y: number, width: number, height: number): { data: Uint8Array };
}
