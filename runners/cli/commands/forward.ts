// mtcp forward
import type { Command } from 'commander';
import { tensorCommand } from '../flags.js';

export function forward(program: Command): void {
  tensorCommand(program.command('forward'))
    .summary("run a row's network on tensors from a file")
    .description(
      'Runs the network of a row in evaluation mode on the tensor "image" ([batch, 3, height, width], float32, any size) of a safetensors file and writes features from inside it, [batch, channels, height, width].',
    )
    .option('--input <file>', 'safetensors file with "image"')
    .option('--outputs <names>', 'features to write, separated by commas')
    .option('--list', 'list the features of the row and their shapes')
    .addHelpText(
      'after',
      `
Examples:
  mtcp forward experiments/table3.yaml --profile full --row MT-CP --list
  mtcp forward experiments/table3.yaml --profile full --row MT-CP --weights model.safetensors --partial backbone \\
    --input in.safetensors --outputs backbone.representation,prediction.depth -o out.safetensors`,
    )
    .action(async (file, overrides, options) =>
      (await import('../compare.js')).forward(file, overrides, options),
    );
}
