// An argument or a flag with an empty value: `--runs "$RUNS"` where the variable is not set. No command means it, and a
// path that is empty would stand for the working directory.
import type { Command } from 'commander';
import { MtcpError } from '../../registry/errors.js';

/** Text that may be empty, such as a caption. */
const isText = (flags: string): boolean => flags.includes('<text>');

/** @throws MtcpError `usage` at the first empty one of a command that is about to run */
export function refuseEmpty(command: Command): void {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (!isText(option.flags) && [value].flat().includes('')) throw empty(`argument "${option.long}"`);
  }
  command.registeredArguments.forEach((argument, i) => {
    if ([command.processedArgs[i]].flat().includes('')) throw empty(`argument "${argument.name()}"`);
  });
}

const empty = (where: string): MtcpError =>
  new MtcpError('usage', 'its value is empty', {
    where,
    hint: 'a variable of the shell that is not set gives an empty value',
  });
