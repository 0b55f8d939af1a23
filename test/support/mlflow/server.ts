// A real MLflow server on loopback for the tests, with its own SQLite store in a temporary folder, and Python's own
// client to read back what was logged. The server starts when this file is imported, so that it is up by the time
// the tests that need it run; all test files share it.
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pending } from '../pending.js';

const here = fileURLToPath(new URL('../../../../test/support/mlflow/', import.meta.url));
const NO_PYPI = 3;
/** Milliseconds; a few seconds are usual, on a machine that does nothing else. */
const LONGEST_START = 400_000;

/** Thrown where the tests shall be skipped, and only there. */
export class NoPyPI extends Error {}

export interface ServerOptions {
  /** Folder of the store; one that was used before goes on. */
  folder: string;
  port: number;
  args?: readonly string[];
  env?: Record<string, string>;
}

export class MlflowServer {
  #process: ChildProcess | undefined;
  #log = '';

  constructor(
    readonly python: string,
    readonly options: ServerOptions,
  ) {
    const database = join(options.folder, 'mlflow.db');
    if (!existsSync(database)) copyFileSync(join(dirname(python), '..', 'template.db'), database);
  }

  get uri(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  async start(): Promise<void> {
    const { folder, port, args = [], env } = this.options;
    const command = [
      '-m',
      'mlflow',
      'server',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--workers',
      '1',
    ];
    const stores = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`];
    const files = args.includes('--artifacts-destination')
      ? []
      : ['--artifacts-destination', join(folder, 'files')];
    const child = spawn(this.python, [...command, ...stores, ...files, ...args], {
      cwd: folder,
      // A group of its own: the server has children, and all of them shall end.
      detached: true,
      env: { ...process.env, ...QUIET, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (this.#log += text));
    letGo(child);
    for (const began = Date.now(); Date.now() - began < LONGEST_START;) {
      if (child.exitCode !== null) throw new Error(`the MLflow server ended:\n${this.#log.slice(-2000)}`);
      const answer = await fetch(`${this.uri}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(100);
    }
    throw new Error(`the MLflow server does not come up:\n${this.#log.slice(-2000)}`);
  }

  /** At once, whatever it is doing. */
  kill(): void {
    try {
      if (this.#process?.pid) process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
    this.#process = undefined;
  }
}

const QUIET = {
  MLFLOW_DISABLE_TELEMETRY: 'true',
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
  PYTHONDONTWRITEBYTECODE: '',
  MLFLOW_TRACKING_URI: '',
};

/** Python's own client, answering questions: see reader.py. */
export class PythonReader {
  readonly #process: ChildProcess;
  readonly #waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  #log = '';

  constructor(python: string, uri: string, env: Record<string, string> = {}) {
    this.#process = spawn(python, [join(here, 'reader.py'), uri], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...QUIET, ...env },
    });
    this.#process.stderr!.on('data', (text) => (this.#log += text));
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      const { value, error } = JSON.parse(line) as { value: unknown; error?: string };
      const { resolve, reject } = this.#waiting.shift()!;
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    letGo(this.#process);
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`reader.py ended:\n${this.#log}`));
    });
  }

  ask<T>(question: string, args: object = {}): Promise<T> {
    this.#process.stdin!.write(`${JSON.stringify({ question, ...args })}\n`);
    return new Promise((resolve, reject) =>
      this.#waiting.push({ resolve: resolve as (value: unknown) => void, reject }),
    );
  }

  close(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The Python that has MLflow; installs it if need be. */
async function pythonWithMlflow(): Promise<string> {
  const child = spawn(join(here, 'install.sh'), { stdio: ['ignore', 'pipe', 'pipe'] });
  letGo(child);
  let [out, log] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (log += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code === NO_PYPI) throw new NoPyPI(log.trim());
  if (code !== 0) throw new Error(`MLflow could not be installed:\n${log.slice(-2000)}`);
  return out.trim().split('\n').at(-1)!;
}

/** The tests end when they are done, not when the processes behind them end. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket | null)?.unref();
}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

export interface TestServer {
  server: MlflowServer;
  reader: PythonReader;
  python: string;
}

const cleanups: (() => void)[] = [];
process.on('exit', () => cleanups.forEach((cleanup) => cleanup()));
// Ended by a signal, a process runs no exit handlers of its own accord.
process.once('SIGTERM', () => process.exit(143));

/** A server of its own for a test that stops it or gives it options. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const python = await pythonWithMlflow();
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'mtcp-mlflow-'));
  const server = new MlflowServer(python, { folder, port: await freePort(), ...options });
  const reader = new PythonReader(python, server.uri, options.env);
  cleanups.push(() => {
    reader.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await server.start();
  return { server, reader, python };
}

const shared = startServer();
shared.catch(() => {});

/** For a `before` hook: the shared server, or the whole suite skipped because there is no PyPI. */
export async function sharedServer(suite: Mocha.Context): Promise<TestServer> {
  suite.timeout(540_000);
  try {
    return await shared;
  } catch (error) {
    if (!(error instanceof NoPyPI)) throw error;
    return pending(suite, error.message);
  }
}
