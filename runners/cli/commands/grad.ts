// mtcp grad
import type { Command } from 'commander';
import { tensorCommand } from '../flags.js';

export function grad(program: Command): void {
  tensorCommand(program.command('grad'))
    .summary("losses and gradients of a row's training step on tensors from a file")
    .description(
      'Takes "image" and a label for each task from a safetensors file, in training mode, and writes every loss (loss.total, loss.TASK, ...) and the gradient of every parameter under its own name. Stochastic depth draws from the seed; model.backbone.encoder.drop_path=0 switches it off.',
    )
    .option(
      '--input <file>',
      'safetensors file with "image" and the tasks\' labels, [batch, channels, height, width]',
    )
    .addHelpText(
      'after',
      `
Example:
  mtcp grad experiments/table3.yaml --profile full --row MT-CP --weights mt-cp.safetensors \\
    --input batch.safetensors -o gradients.safetensors model.backbone.encoder.drop_path=0`,
    )
    .action(async (file, overrides, options) =>
      (await import('../compare.js')).grad(file, overrides, options),
    );
}
