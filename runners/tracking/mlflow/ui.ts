// mtcp mlflow ui: starts MLflow's own server for the runs of this folder, if this machine's Python has MLflow.
import { spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { makeFolder } from '../../../registry/support/make-folder.js';

export interface UiOptions {
  host: string;
  port: number;
  /** Folder of the database and the artifacts; made if it is not there. */
  store: string;
}

/** Programs that may be a Python with MLflow, an active environment first. */
const PYTHONS = ['python3', 'python'];
const INSTALL = 'python3 -m pip install mlflow';

/**
 * The Python that can import MLflow.
 * @throws MtcpError `usage` with the command that installs it
 */
export function findMlflow(env: NodeJS.ProcessEnv = process.env): { python: string; version: string } {
  for (const python of PYTHONS) {
    // Its files are looked at, not run: importing it takes seconds.
    const script = 'import importlib.metadata as m; print(m.version("mlflow"))';
    const { status, stdout } = spawnSync(python, ['-c', script], { env, encoding: 'utf8', timeout: 30_000 });
    if (status === 0) return { python, version: stdout.trim() };
  }
  throw new MtcpError('usage', "this machine's Python has no MLflow", {
    where: 'mtcp mlflow ui',
    hint: INSTALL,
  });
}

/** Runs the server until it is stopped; resolves to its exit code. */
export function serve({ host, port, store }: UiOptions, announce: (uri: string) => void): Promise<number> {
  const { python } = findMlflow();
  const folder = resolve(store);
  makeFolder(folder);
  const listen = ['--host', host, '--port', String(port)];
  const stores = [
    '--backend-store-uri',
    `sqlite:///${join(folder, 'mlflow.db')}`,
    '--artifacts-destination',
    join(folder, 'artifacts'),
  ];
  const child = spawn(python, ['-m', 'mlflow', 'server', ...listen, ...stores], {
    stdio: 'inherit',
    cwd: folder,
  });
  announce(`http://${host}:${port}`);
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      done(code ?? 0);
    });
  });
}
