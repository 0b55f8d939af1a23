// mtcp weights: reading public checkpoints, writing trained ones.
import type { Command } from 'commander';
import { exportCommand } from './export.js';
import { importCommand } from './import.js';

export function declare(command: Command): void {
  importCommand(command);
  exportCommand(command);
}
