// mtcp data: preparing, generating, checking and showing data sets.
import type { Command } from 'commander';
import { checkCommand } from './check.js';
import { prepareCommand } from './prepare.js';
import { showCommand } from './show.js';
import { synthCommand } from './synth.js';

export function declare(command: Command): void {
  for (const add of [synthCommand, prepareCommand, checkCommand, showCommand]) add(command);
}
