// mtcp export
import type { Command } from 'commander';
import { CHECKPOINT, JSON_DOCUMENT } from '../flags.js';

export function exportCommand(program: Command): void {
  program
    .command('export')
    .summary('a trained trial as one file for other programs')
    .description(
      'Writes the network with its weights as one ONNX file. Its input is RGB from 0 to 255, any number of images at a time; its outputs are class indices, metres, unit normals and probabilities.',
    )
    .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--format <format>', 'onnx', 'onnx')
    .option('--size <HxW>', 'size of the input; by default the size it was trained at')
    .option(...CHECKPOINT)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.onnx
  python -c "import onnxruntime as o, numpy as n; s = o.InferenceSession('mt-cp.onnx'); print(s.run(None, {'image': n.zeros((2, 96, 128, 3), 'float32')})[0].shape)"`,
    )
    .action(async (run, options) => (await import('../export.js')).exportModel(run, options));
}
