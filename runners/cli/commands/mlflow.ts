// mtcp mlflow
import type { Command } from 'commander';
import { JSON_DOCUMENT, RUNS } from '../flags.js';

export function mlflow(program: Command): void {
  const mlflow = program.command('mlflow').summary('show runs on an MLflow tracking server');
  const serverOptions = (command: Command): Command =>
    command
      .option(...RUNS)
      .option('--uri <address>', 'of the tracking server, unless MLFLOW_TRACKING_URI names one')
      .option(...JSON_DOCUMENT);
  serverOptions(mlflow.command('sync'))
    .summary('send what the server does not know yet')
    .description(
      'Brings the server to the state of the folder of runs: what could not be sent while it was away, and trials that ran without a tracker. Sent twice, nothing is there twice.',
    )
    .addHelpText(
      'after',
      `
Examples:
  MLFLOW_TRACKING_URI=http://localhost:5000 mtcp mlflow sync
  mtcp mlflow sync --runs /scratch/runs --uri https://mlflow.example.org`,
    )
    .action(async (options) => (await import('../mlflow.js')).sync(options));
  serverOptions(mlflow.command('gc'))
    .summary('close runs whose process died')
    .description(
      'Runs that the server shows as running although their process is dead become KILLED, after what they left is sent. "mtcp run" opens them again when it goes on.',
    )
    .addHelpText(
      'after',
      `
Example:
  MLFLOW_TRACKING_URI=http://localhost:5000 mtcp mlflow gc`,
    )
    .action(async (options) => (await import('../mlflow.js')).gc(options));
  mlflow
    .command('ui')
    .summary("start MLflow's server")
    .description(
      'Starts the server of the MLflow that is installed for Python; says how to install it if there is none.',
    )
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
    .action(async (options) => (await import('../mlflow.js')).ui(options));
}
