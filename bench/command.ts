// How every benchmark ends where it cannot begin: with mtcp's message and exit code, not with a stack.
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
