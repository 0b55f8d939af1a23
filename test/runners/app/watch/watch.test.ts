// The live page: what it is told, who is answered, and how it looks in Chromium while a trial goes on.
import { appendFileSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { serve, type WatchServer } from '../../../../runners/app/watch/server.js';
import { Watch } from '../../../../runners/app/watch/snapshot.js';
import { BROWSER, NO_BROWSER, openBrowser } from '../../../support/browser.js';
import { pending } from '../../../support/pending.js';
import { finishedExperiment, HOSTILE, writeResults } from '../../../support/results.js';

describe('mtcp watch', () => {
  let runs: string;
  let server: WatchServer;
  before(async function () {
    this.timeout(200_000);
    const made = finishedExperiment();
    ({ runs } = made);
    await writeResults(made);
    server = await serve(new Watch(runs), 0);
  });
  after(async () => {
    await server.close();
    rmSync(runs, { recursive: true, force: true });
  });

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
      const { port } = new URL(server.url);
      request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
        let body = '';
        response.on('data', (text) => (body += text));
        response.on('end', () =>
          resolve({ status: response.statusCode!, type: response.headers['content-type']!, body }),
        );
      })
        .on('error', reject)
        .end();
    });

  it('tells all trials of a folder of runs, with their curves', async () => {
    const { trials, machine } = JSON.parse((await get('/state.json')).body) as ReturnType<Watch['snapshot']>;
    expect(new Set(trials.map(({ row }) => row))).to.include.members(['MT-CP', HOSTILE, 'STL depth']);
    expect(trials.every(({ state }) => state === 'done')).to.equal(true);
    const [trial] = trials.filter(({ row }) => row === 'MT-CP');
    expect(trial.curves.map(({ name }) => name)).to.include('depth.RMSE');
    expect(machine.cores).to.be.above(0);
  });

  it('leaves out trials that were set aside', () => {
    const [experiment] = readdirSync(runs);
    const [trial] = readdirSync(join(runs, experiment)).filter((name) => name.startsWith('stl-depth'));
    const count = () => new Watch(runs).snapshot().trials.length;
    const before = count();
    const asides = ['replaced-2026-11-29T071500123Z', 'data-302a857c79f61040'].map((why) =>
      join(runs, experiment, `${trial}-${why}`),
    );
    for (const aside of asides) cpSync(join(runs, experiment, trial), aside, { recursive: true });
    expect(count()).to.equal(before);
    for (const aside of asides) rmSync(aside, { recursive: true });
  });

  it('answers this machine only, and gives away pictures of trials only', async () => {
    expect((await get('/', { host: 'evil.example' })).status).to.equal(403);
    expect((await get('/', {}, 'POST')).status).to.equal(405);
    for (const trial of ['../../etc/passwd', '', 'nothing'])
      expect((await get(`/picture?trial=${encodeURIComponent(trial)}`)).status).to.equal(404);
    const { status, type, body } = await get('/');
    expect(status).to.equal(200);
    expect(type).to.contain('text/html');
    expect(body).to.contain('mtcp watch');
  });

  it('refuses a port that is taken', async () => {
    const error = await serve(new Watch(runs), Number(new URL(server.url).port)).catch(
      (reason: Error) => reason,
    );
    expect(error).to.be.instanceOf(Error).and.to.have.property('message').that.contains('cannot be used');
  });

  it('shows trials as they go on, hides rows, and executes nothing of a name', async function () {
    this.timeout(240_000);
    if (!BROWSER) return pending(this, NO_BROWSER);
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      const wrong: string[] = [];
      page.on('pageerror', ({ message }) => wrong.push(message));
      page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
      await page.goto(server.url);
      await page.waitForSelector('#trials tr');
      const rows = await page.locator('#trials tr').count();
      const lines = () => page.locator('.chart', { hasText: 'depth.RMSE' }).first().locator('circle').count();
      const dots = await lines();
      expect(await page.title()).to.match(/ - mtcp watch$/);
      expect(await page.locator('#trials').innerText()).to.contain('<script>');
      if (process.env.MTCP_SHOTS)
        await page.screenshot({ path: join(process.env.MTCP_SHOTS, 'watch.png'), fullPage: true });

      await page.locator('#trials input').first().uncheck();
      expect(await lines()).to.be.below(dots);
      await page.locator('#trials input').first().check();

      // A trial begins.
      const [experiment] = readdirSync(runs);
      const [known] = readdirSync(join(runs, experiment)).filter((name) => name.startsWith('mt-cp'));
      const folder = join(runs, experiment, known);
      rmSync(join(folder, 'result.json'));
      const time = new Date().toISOString();
      appendFileSync(
        join(folder, 'events.jsonl'),
        `${JSON.stringify({ time, event: 'evaluated', epoch: 90, seconds: 1, metrics: { 'depth.RMSE': 0.123 } })}\n`,
      );
      const losses = { raw: {}, projected: {}, weights: {}, cosines: {} };
      const step = { epoch: 1, step: 7777, time: 1, rate: 1, total: 1.5, ...losses };
      writeFileSync(join(folder, 'steps.jsonl'), `${JSON.stringify(step)}\n`);
      await page.locator('#trials', { hasText: 'interrupted' }).waitFor({ timeout: 60_000 });
      await page.locator('#trials', { hasText: '7777' }).waitFor();
      await page.locator('#charts', { hasText: 'epoch 90' }).waitFor({ timeout: 60_000 });
      expect(await page.locator('#trials tr').count()).to.equal(rows);
      expect(wrong).to.deep.equal([]);

      await server.close();
      await page.waitForSelector('#lost:not([hidden])', { timeout: 60_000 });
      server = await serve(new Watch(runs), 0);
    } finally {
      await browser.close();
    }
  });
});
