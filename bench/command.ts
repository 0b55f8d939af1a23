// Reports a benchmark that cannot start with mtcp's message and exit code instead of a stack trace.
import type { Command } from 'commander';
import { MtcpError } from '../registry/errors.js';

export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync();
  } catch (error) {
    if (!MtcpError.is(error)) throw error;
    process.stderr.write(`${error.format()}\n`);
    process.exitCode = error.exitCode;
  }
}
