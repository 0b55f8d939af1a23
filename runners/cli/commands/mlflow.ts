// mtcp mlflow: synchronises runs with a tracking server, closes runs whose process died, and opens the user
// interface.
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { catalog } from '../../../registry/catalog.js';
import { MtcpError } from '../../../registry/errors.js';
import { withDefaults } from '../../../registry/options.js';
import type { LoggingOptions } from '../../tracking/mlflow/options.js';
import type { SyncOptions, SyncResult } from '../../tracking/mlflow/sync.js';
import { serve } from '../../tracking/mlflow/ui.js';
import { Progress } from '../progress.js';
import { JSON_DOCUMENT, RUNS } from '../flags.js';

export function declare(command: Command): void {
  const serverOptions = (below: Command): Command =>
    below
      .option(...RUNS)
      .option('--uri <address>', 'address of the tracking server; MLFLOW_TRACKING_URI takes precedence')
      .option(...JSON_DOCUMENT);
  serverOptions(command.command('sync'))
    .summary('send what the server does not have yet')
    .description(
      'Brings the server up to date with the folder of runs: sends what could not be sent while it was unreachable, and trials that ran without a tracker. Repeating it makes no duplicates.',
    )
    .addHelpText(
      'after',
      `
Examples:
  MLFLOW_TRACKING_URI=http://localhost:5000 mtcp mlflow sync
  mtcp mlflow sync --runs /scratch/runs --uri https://mlflow.example.org`,
    )
    .action(sync);
  serverOptions(command.command('gc'))
    .summary('close runs whose process died')
    .description(
      'Closes runs that the server shows as running although their process died: sends the rest of their records and marks them as KILLED. "mtcp run" reopens them when it resumes.',
    )
    .addHelpText(
      'after',
      `
Example:
  MLFLOW_TRACKING_URI=http://localhost:5000 mtcp mlflow gc`,
    )
    .action(gc);
  command
    .command('ui')
    .summary("start MLflow's server")
    .description('Starts the MLflow server that is installed for Python, or says how to install it.')
    .option('--host <name>', 'address to listen at', '127.0.0.1')
    .option('--port <n>', 'port', '5000')
    .option(...RUNS)
    .option(
      '--store <dir>',
      'folder of the database and files of the server (default: .mlflow in the folder of runs)',
    )
    .addHelpText(
      'after',
      `
Example:
  mtcp mlflow ui --port 5001`,
    )
    .action(ui);
}

interface Options {
  runs: string;
  uri?: string;
  json?: boolean;
}

async function sync({ runs, uri, json }: Options): Promise<void> {
  await import('../../tracking/index.js');
  const { syncRuns } = await import('../../tracking/mlflow/sync.js');
  const { client, progress, options } = await prepare(runs, uri, json);
  const { sent, left, failed } = await syncRuns(client, runs, options);
  progress.clear();
  tellFailures(failed);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ server: client.transport.uri, sent, left, failed }, null, 2)}\n`,
    );
  else
    process.stdout.write(
      `${client.transport.uri}: ${sent.length} runs brought up to date${left.length > 0 ? `, ${left.length} not in full: ${left.join(', ')}` : ''}\n`,
    );
}

async function gc({ runs, uri, json }: Options): Promise<void> {
  await import('../../tracking/index.js');
  const { closeDead } = await import('../../tracking/mlflow/sync.js');
  const { client, progress, options } = await prepare(runs, uri, json);
  const { closed, failed } = await closeDead(client, runs, options);
  progress.clear();
  tellFailures(failed);
  if (json)
    process.stdout.write(`${JSON.stringify({ server: client.transport.uri, closed, failed }, null, 2)}\n`);
  else
    process.stdout.write(
      closed.length === 0
        ? `${client.transport.uri}: nothing to close\n`
        : `${client.transport.uri}: closed ${closed.join(', ')}\n`,
    );
}

/** The others went through; the exit code says that not all of them did. */
function tellFailures(failed: SyncResult['failed']): void {
  for (const { experiment, message } of failed)
    process.stderr.write(`experiment "${experiment}" could not be sent: ${message}\n`);
  if (failed.length > 0) process.exitCode = 1;
}

/** @throws MtcpError `usage` without a folder of runs: nothing to send is not the same as nothing left to send */
async function prepare(runs: string, uri: string | undefined, json = false) {
  if (!existsSync(runs))
    throw new MtcpError('usage', 'there is no such folder', {
      where: `argument "--runs ${runs}"`,
      hint: 'give the folder that mtcp run wrote into; it is "runs" in the folder where mtcp run was started',
    });
  const { connectionFromEnv, MlflowClient } = await import('../../tracking/mlflow/client/index.js');
  const client = new MlflowClient(connectionFromEnv(process.env, uri));
  const progress = new Progress(process.stderr, json);
  const { options: schema } = catalog.get('tracker', 'mlflow');
  const options: SyncOptions = {
    logging: withDefaults(schema, {}) as unknown as LoggingOptions,
    warn: (message) => progress.line(`mlflow: ${client.transport.redactor.text(message)}`),
    progress: (left) => progress.state(`${left} runs to send`),
  };
  return { client, progress, options };
}

async function ui(options: { host: string; port: string; runs: string; store?: string }): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new MtcpError('usage', `"${options.port}" is not a port`, {
      where: `argument "--port ${options.port}"`,
      hint: 'a number from 1 to 65535, such as 5000',
    });
  const store = options.store ?? join(options.runs, '.mlflow');
  process.exitCode = await serve({ host: options.host, port, store }, (address) =>
    process.stderr.write(
      `MLflow starts at ${address}; runs are logged to it with\n  export MLFLOW_TRACKING_URI=${address}\n`,
    ),
  );
}
