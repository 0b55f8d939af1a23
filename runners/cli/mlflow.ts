// mtcp mlflow: bring a tracking server up to date, close what died, look at it.
import { join } from 'node:path';
import { catalog } from '../../registry/catalog.js';
import { MtcpError } from '../../registry/errors.js';
import { withDefaults } from '../../registry/options.js';
import '../tracking/index.js';
import { connectionFromEnv, MlflowClient } from '../tracking/mlflow/client/index.js';
import type { LoggingOptions } from '../tracking/mlflow/options.js';
import { closeDead, syncRuns, type SyncOptions, type SyncResult } from '../tracking/mlflow/sync.js';
import { serve } from '../tracking/mlflow/ui.js';
import { Progress } from './progress.js';

interface Options {
  runs: string;
  uri?: string;
  json?: boolean;
}

export async function sync({ runs, uri, json }: Options): Promise<void> {
  const { client, progress, options } = prepare(uri, json);
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

export async function gc({ runs, uri, json }: Options): Promise<void> {
  const { client, progress, options } = prepare(uri, json);
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

function prepare(uri: string | undefined, json = false) {
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

export async function ui(options: {
  host: string;
  port: string;
  runs: string;
  store?: string;
}): Promise<void> {
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
