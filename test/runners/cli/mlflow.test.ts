// mtcp mlflow sync as a process: what it sends although a part of it fails, and how it ends.
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../support/rooms.js';
import { temporaryRuns, TrialFolder } from '../../support/mlflow/folders.js';
import { WELL, wrongServer } from '../../support/mlflow/wrong-server.js';

const MAIN = join(ROOT, 'dist/runners/cli/main.js');

describe('mtcp mlflow sync', function () {
  this.timeout(60_000);
  let runs: string;
  beforeEach(() => {
    runs = temporaryRuns();
    for (const name of ['first', 'refused', 'third'])
      new TrialFolder(runs, name, 'row').started().epoch(1, 3).finished(1, 3, { 'depth.RMSE': 1 });
  });
  afterEach(() => rmSync(runs, { recursive: true, force: true }));

  const sync = (uri: string, ...args: string[]) => {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^MLFLOW_|_proxy$/i.test(name)),
    );
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [MAIN, 'mlflow', 'sync', '--runs', runs, '--uri', uri, ...args],
        { env: { ...env, NO_COLOR: '1' } },
        (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  };

  it('sends the others when one experiment fails, names it and ends with 1', async () => {
    const asked: string[] = [];
    const server = await wrongServer((request, response, body) => {
      const about = decodeURIComponent(request.url!) + body;
      asked.push(about);
      if (!about.includes('refused')) return WELL(request, response, body);
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error_code: 'PERMISSION_DENIED', message: 'not yours' }));
    });
    try {
      const { code, stderr } = await sync(server.uri);
      expect(stderr).to.match(/experiment "refused" could not be sent: .*not yours/);
      expect(stderr).not.to.match(/experiment "(first|third)"/);
      expect(code).to.equal(1);
      for (const name of ['first', 'third'])
        expect(
          asked.some((text) => text.includes('experiments') && text.includes(name)),
          name,
        ).to.equal(true);
    } finally {
      server.close();
    }
  });

  it('refuses a folder of runs that is not there', async () => {
    rmSync(runs, { recursive: true });
    const { code, stdout, stderr } = await sync('http://127.0.0.1:5999');
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.contain(`argument "--runs ${runs}": there is no such folder`);
  });

  it('ends with 0 when all of them go through', async () => {
    const server = await wrongServer(WELL);
    try {
      const { code, stderr } = await sync(server.uri);
      expect(code, stderr).to.equal(0);
    } finally {
      server.close();
    }
  });
});
