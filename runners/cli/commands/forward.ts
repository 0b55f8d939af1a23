// mtcp forward
import type { Command } from 'commander';
import { textTable } from '../../reporting/table.js';
import { print, required, shown, tensorCommand, type TensorOptions } from '../tensors.js';

export function declare(command: Command): void {
  tensorCommand(command)
    .description(
      'Runs the network of a row in evaluation mode on the tensor "image" ([batch, 3, height, width], float32, any size) of a safetensors file, and writes features of the network, [batch, channels, height, width].',
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
    .action(forward);
}

async function forward(
  file: string,
  overrides: string[],
  { outputs, list, ...options }: TensorOptions & { outputs?: string; list?: boolean },
): Promise<void> {
  const { forward: runForward, listFeatures } = await import('../../app/compare/forward.js');
  const { oneTrial } = await import('../one-trial.js');
  const trial = oneTrial(file, overrides, options);
  const { json, weights, partial } = options;
  if (list) {
    const features = await listFeatures(trial, options.input);
    print(json, features, () =>
      textTable(
        [{ title: 'feature' }, { title: 'batch x channels x height x width' }],
        features.map(({ name, shape }) => [name, shown(shape)]),
      ),
    );
    return;
  }
  const names = required(outputs, '--outputs')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const out = required(options.out, '-o');
  const input = required(options.input, '--input');
  const computed = await runForward(trial, { weights, partial, input, outputs: names, out });
  print(json, { ...computed, out }, () =>
    [
      `${trial.row}, seed ${trial.seed}: ${computed.seconds.toFixed(2)} s (${computed.engine})`,
      ...computed.features.map(({ name, shape }) => `  ${name}  ${shown(shape)}`),
      `written: ${out}`,
    ].join('\n'),
  );
}
