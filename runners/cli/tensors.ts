// What mtcp forward and mtcp grad share: a row run on tensors from a file.
import type { Command } from 'commander';
import { MtcpError } from '../../registry/errors.js';
import {
  collect,
  engineOptions,
  experimentCommand,
  JSON_DOCUMENT,
  type EngineOptions,
  type ExperimentOptions,
} from './flags.js';

export interface TensorOptions extends ExperimentOptions, EngineOptions {
  weights?: string;
  partial?: string[];
  input?: string;
  out?: string;
  json?: boolean;
}

/** Arguments and options of the commands that run one row on tensors from a file. */
export const tensorCommand = (command: Command): Command =>
  engineOptions(experimentCommand(command))
    .option(
      '--weights <path>',
      'safetensors file of the whole model; by default the weights that the trial would start from',
    )
    .option(
      '--partial <section>',
      'section that the file of weights fills: backbone; the rest is drawn from the seed',
      collect,
    )
    .option('-o, --out <file>', 'safetensors file to write')
    .option(...JSON_DOCUMENT);

/** @throws MtcpError `usage` if a flag that this command needs was not given */
export function required(value: string | undefined, flag: string): string {
  if (value !== undefined) return value;
  throw new MtcpError('usage', `${flag} is missing`, { hint: 'see --help for an example' });
}

export const shown = (shape: readonly number[]): string => shape.join('x') || 'a number';

export function print(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
}
