// mtcp grad
import type { Command } from 'commander';
import { print, required, tensorCommand, type TensorOptions } from '../tensors.js';

export function declare(command: Command): void {
  tensorCommand(command)
    .description(
      'Runs a training step of a row on "image" and a label for each task from a safetensors file, without an update, and writes every loss (loss.total, loss.TASK, ...) and the gradient of every parameter under its own name. Stochastic depth draws from the seed; model.backbone.encoder.drop_path=0 switches it off.',
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
    .action(grad);
}

async function grad(file: string, overrides: string[], options: TensorOptions): Promise<void> {
  const { grad: runGrad } = await import('../../app/compare/grad.js');
  const { oneTrial } = await import('../one-trial.js');
  const trial = oneTrial(file, overrides, options);
  const { json, weights, partial } = options;
  const out = required(options.out, '-o');
  const input = required(options.input, '--input');
  const computed = await runGrad(trial, { weights, partial, input, out });
  const width = Math.max(...Object.keys(computed.losses).map((name) => name.length));
  print(json, { ...computed, out }, () =>
    [
      `${trial.row}, seed ${trial.seed}: ${computed.seconds.toFixed(2)} s (${computed.engine})`,
      ...Object.entries(computed.losses).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
      `  ${computed.gradients} gradients, norm ${computed.norm}`,
      `written: ${out}`,
    ].join('\n'),
  );
}
