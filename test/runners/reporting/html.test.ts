// The page of a report in a real browser: no errors, sorting and sliders work, data stays text, and it reads on a
// phone and in the dark.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { reportExperiment } from '../../../runners/app/report.js';
import { sortValue } from '../../../runners/reporting/html/page.js';
import { BROWSER, NO_BROWSER, openBrowser } from '../../support/browser.js';
import { finishedExperiment, HOSTILE, writeResults } from '../../support/results.js';
import { pending } from '../../support/pending.js';

/** What the page's own global object offers; the tests are compiled without the DOM's types. */
interface Styled {
  getComputedStyle(element: unknown): { clipPath: string };
}

describe('the page of a report', function () {
  this.timeout(60_000);

  let file: string;
  let source: string;

  before(async () => {
    const experiment = finishedExperiment(
      '  expect: { MT-CP: { depth.RMSE: { max: 0.4, better_than: STL depth } } }',
    );
    await writeResults(experiment);
    const report = reportExperiment(experiment.file, { runs: experiment.runs, profile: 'smoke' });
    for (const row of ['MT-CP', HOSTILE]) {
      const { folder } = report.json.rows.find((trial) => trial.row === row)!;
      const create = { width: 8, height: 6, channels: 3 as const, background: '#888' };
      writeFileSync(join(folder, 'failures.png'), await sharp({ create }).png().toBuffer());
    }
    source = await report.html();
    file = join(experiment.runs, 'report.html');
    writeFileSync(file, source);
  });

  it('needs no network and lets nothing run but its own script', () => {
    expect(source).not.to.match(/(src|href)="(?!data:|#)/);
    expect(source).to.match(
      /content="default-src &#39;none&#39;; img-src data:;.* script-src &#39;sha256-[^&]+&#39;"/,
    );
    expect(source.match(/<script/g)).to.have.length(1);
  });

  it('shows the worst and best images of rows that have some', () => {
    const [, section] = source.split('Worst and best images</h2>');
    const sheets = [
      ...section.matchAll(/<img src="data:image\/\w+;base64,[^"]+" alt="worst and best images of ([^:]+):/g),
    ];
    expect(sheets.map(([, row]) => row)).to.have.length(2);
    expect(sheets[0][1]).to.equal('MT-CP');
    expect(sheets[1][1]).to.include('&#60;script').and.not.include('<');
  });

  it('sorts by numbers in their units', () => {
    const cells = [
      '1.50 GB',
      '900 MB',
      '1 min 41 s',
      '99 s',
      '2.0 h',
      '1,234',
      '31.27 ± 1.20',
      '-1.20 (p 0.2)',
      '12 ms',
    ];
    expect(cells.map(sortValue)).to.deep.equal([
      '1500000000',
      '900000000',
      '101',
      '99',
      '7200',
      '1234',
      '31.27',
      '-1.2',
      '12',
    ]);
    expect(['-', '', 'queued', 'MT-CP'].map(sortValue)).to.deep.equal(['', '', 'queued', 'MT-CP']);
  });

  describe('in Chromium', () => {
    let browser: Browser;
    let page: Page;
    const problems: string[] = [];

    before(async function () {
      if (!BROWSER) pending(this, NO_BROWSER);
      browser = await openBrowser();
      page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      page.on('console', (message) => problems.push(message.text()));
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('request', (request) => /^(file|data):/.test(request.url()) || problems.push(request.url()));
      await page.goto(pathToFileURL(file).href);
    });

    after(() => browser?.close());

    afterEach(() => expect(problems).to.deep.equal([]));

    it('shows names from data as text', async () => {
      expect(await page.title()).to.equal('Two rows & a half');
      expect(await page.locator('#measured tbody td:first-child').allTextContents()).to.include(HOSTILE);
      expect(await page.locator('script').count()).to.equal(1);
      expect(await page.locator('#configurations summary').allTextContents()).to.include(HOSTILE);
    });

    it('has tables, marks, curves and pictures', async () => {
      expect(await page.locator('#measured strong').allTextContents()).to.include('31.27 ± 1.20');
      expect(await page.locator('#expected tbody tr').allTextContents()).to.have.length(2);
      expect(await page.locator('.plot svg').count()).to.equal(4);
      const broken = await page
        .locator('img')
        .evaluateAll(
          (images) =>
            images.filter((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 0)
              .length,
        );
      expect(broken).to.equal(0);
      expect(await page.locator('#classes td:first-child').allTextContents()).to.deep.equal([
        'wall',
        'chair',
      ]);
    });

    it('sorts a table up, down and back', async () => {
      const rows = () => page.locator('#measured tbody td:first-child').allTextContents();
      const head = page.locator('#measured th', { hasText: 'semseg' });
      const original = await rows();
      await head.getByRole('button').click();
      expect(await head.getAttribute('aria-sort')).to.equal('ascending');
      expect(await rows()).to.deep.equal([HOSTILE, 'MT-CP', 'never run', 'STL depth']);
      await head.getByRole('button').press('Enter');
      expect((await rows()).slice(0, 3)).to.deep.equal(['never run', 'MT-CP', HOSTILE]);
      await head.getByRole('button').click();
      expect(await rows()).to.deep.equal(original);
    });

    it('hides and shows rows everywhere, by mouse and keyboard', async () => {
      const shown = () => page.locator('#measured tbody tr:visible td:first-child').allTextContents();
      const lines = () => page.locator('#curves .plot').first().locator('[data-row="0"]:not(.gone)').count();
      const all = await shown();
      const drawn = await lines();
      expect(drawn).to.be.above(0);
      await page.locator('details.rows summary').click();
      expect(await page.locator('.rows .count').textContent()).to.equal('(all 4 shown)');
      const box = page.getByRole('checkbox', { name: 'MT-CP', exact: true });
      await box.focus();
      await page.keyboard.press('Space');
      expect(await shown()).to.deep.equal(all.filter((name) => name !== 'MT-CP'));
      expect(await lines()).to.equal(0);
      expect(await page.locator('#classes th:visible', { hasText: 'MT-CP' }).count()).to.equal(0);
      expect(await page.locator('#configurations summary:visible', { hasText: /^MT-CP$/ }).count()).to.equal(
        0,
      );
      expect(await page.locator('[name=row]').inputValue()).not.to.equal('0');
      expect(await page.locator('.rows .count').textContent()).to.equal('(3 of 4 shown)');
      await page.getByRole('button', { name: 'None' }).click();
      expect(await shown()).to.deep.equal([]);
      await page.getByRole('button', { name: 'All' }).click();
      expect(await shown()).to.deep.equal(all);
      expect(await lines()).to.equal(drawn);
      await page.locator('[name=row]').selectOption('MT-CP');
      await page.locator('details.rows summary').click();
    });

    it('tells the value of a point under the mouse, and by the arrow keys', async () => {
      const plot = page.locator('#curves .plot').first();
      const about = page.locator('#about');
      await plot.scrollIntoViewIfNeeded();
      const point = plot.locator('[data-about]').nth(1);
      const { x, y, width, height } = (await point.boundingBox())!;
      await page.mouse.move(x + width / 2, y + height / 2);
      expect(await about.textContent()).to.equal(await point.getAttribute('data-about'));
      expect(await about.isVisible()).to.equal(true);
      await page.mouse.move(2, 2);
      expect(await about.isVisible()).to.equal(false);
      await plot.focus();
      await page.keyboard.press('Home');
      const first = await about.textContent();
      expect(first).to.match(/^MT-CP, mean of 3 seeds, epoch 1: /);
      await page.keyboard.press('ArrowRight');
      expect(await about.textContent()).to.match(/^MT-CP, mean of 3 seeds, epoch 2: /);
      await page.keyboard.press('ArrowDown');
      expect(await about.textContent()).to.contain(HOSTILE);
      await page.keyboard.press('Escape');
      expect(await about.isVisible()).to.equal(false);
    });

    it('moves between label and prediction, images and rows', async () => {
      const stack = page.locator('.figure:visible .stack').first();
      const clip = () =>
        stack
          .locator('img[data-row]:visible')
          .evaluate((image) => (globalThis as unknown as Styled).getComputedStyle(image).clipPath);
      await page.locator('[name=reveal]').fill('20');
      expect(await clip()).to.match(/^inset\(0px calc\(80%|^inset\(0px 80%/);
      await page.locator('[name=image]').fill('2');
      expect(await page.locator('.figure:visible figcaption').first().textContent()).to.equal('room-2');
      await page.locator('[name=row]').selectOption('STL depth');
      expect(await page.locator('.figure:visible .none:visible').allTextContents()).to.deep.equal([
        'this row has no semseg',
        'this row has no normals',
      ]);
      await page.locator('[name=row]').selectOption(HOSTILE);
      expect(await page.locator('.figure:visible .none:visible').count()).to.equal(0);
    });

    it('is accessible by the rules of axe: narrow and light, wide and dark', async function () {
      this.timeout(180_000);
      // Its own page: axe is a script, which the policy of ours does not allow.
      const context = await browser.newContext({ bypassCSP: true });
      const audited = await context.newPage();
      await audited.goto(pathToFileURL(file).href);
      await audited.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
      for (const [colorScheme, width] of [
        ['light', 360],
        ['dark', 1200],
      ] as const) {
        await audited.emulateMedia({ colorScheme });
        await audited.setViewportSize({ width, height: 800 });
        const found = await audited.evaluate<{ id: string; nodes: { html: string }[] }[]>(
          'axe.run().then(({ violations }) => violations)',
        );
        expect(found.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`)).to.deep.equal([]);
      }
      await context.close();
    });

    it('fits a phone, light and dark', async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      expect(wide).to.be.at.most(360);
      const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
      await page.emulateMedia({ colorScheme: 'light' });
      const light = await ground();
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await ground()).not.to.equal(light);
    });
  });
});
