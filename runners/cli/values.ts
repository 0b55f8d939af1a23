// What no command means, whichever it is: arguments and flags with an empty value (`--runs "$RUNS"` where the variable is
// not set: an empty path would stand for the working directory), and a file where a folder is to be written.
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { MtcpError } from '../../registry/errors.js';

/** @throws MtcpError `usage` at the first such value of a command that is about to run */
export function checkValues(command: Command): void {
  for (const option of command.options) {
    const { flags, long } = option;
    const value: unknown = command.getOptionValue(option.attributeName());
    // A caption may be empty.
    if (!flags.includes('<text>') && [value].flat().includes('')) throw empty(`argument "${long}"`);
    if (flags.endsWith('--out <dir>') && typeof value === 'string' && isFile(value))
      throw new MtcpError('usage', 'this is a file; the output is a folder', {
        where: `argument "${long} ${value}"`,
        hint: 'name a folder; it is made if it is not there',
      });
  }
  command.registeredArguments.forEach((argument, i) => {
    if ([command.processedArgs[i]].flat().includes('')) throw empty(`argument "${argument.name()}"`);
  });
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const empty = (where: string): MtcpError =>
  new MtcpError('usage', 'its value is empty', {
    where,
    hint: 'a variable of the shell that is not set gives an empty value',
  });
