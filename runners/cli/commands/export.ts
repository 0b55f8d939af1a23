// mtcp export
import type { Command } from 'commander';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { compact } from '../../reporting/numbers.js';
import { textTable } from '../../reporting/table.js';
import { CHECKPOINT, JSON_DOCUMENT, sizeOfInput } from '../flags.js';

const FORMATS = ['onnx', 'python'];

export function declare(command: Command): void {
  command
    .description(
      'Writes the network with its weights as one ONNX file, or as a folder with a Python program that does what mtcp predict does. The input of the network is RGB from 0 to 255, any number of images at a time; its outputs are class indices, metres, unit normals and probabilities.',
    )
    .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
    .requiredOption('-o, --out <path>', 'file to write; for python, a folder')
    .option('--format <format>', `${FORMATS.join(' or ')}: a file, or a folder with predict.py`, 'onnx')
    .option('--size <HxW>', 'size of the input; by default the size it was trained at')
    .option(...CHECKPOINT)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp export runs/table3/mt-cp-s0-1a2b3c4d --format python -o mt-cp
  cd mt-cp && pip install -r requirements.txt && python predict.py photo.jpg
  mtcp export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.onnx
  python -c "import onnxruntime as o, numpy as n; s = o.InferenceSession('mt-cp.onnx'); print(s.run(None, {'image': n.zeros((2, 96, 128, 3), 'float32')})[0].shape)"`,
    )
    .action(exportModel);
}

async function exportModel(
  folder: string,
  options: { format: string; out: string; size?: string; checkpoint?: string; json?: boolean },
): Promise<void> {
  const { exportOnnx, ONE_SIZE } = await import('../../inference/export.js');
  if (!FORMATS.includes(options.format))
    throw new MtcpError('usage', `there is no format "${options.format}"`, {
      where: `argument "--format ${options.format}"`,
      hint: `${didYouMean(options.format, FORMATS)}; mtcp weights export writes safetensors`,
    });
  if (options.size === 'native' || options.size === 'dynamic')
    throw new MtcpError('usage', 'an exported model has a fixed height and width', {
      where: `argument "--size ${options.size}"`,
      hint: `give them, such as 480x640: ${ONE_SIZE}`,
    });
  const size = sizeOfInput(options.size) as readonly [number, number] | undefined;
  const asked = { folder, out: options.out, checkpoint: options.checkpoint, size };
  const exported =
    options.format === 'python'
      ? await (await import('../../inference/python-folder.js')).exportPython(asked)
      : await exportOnnx(asked);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(exported, null, 2)}\n`);
    return;
  }
  const { input, outputs, out, bytes, checkpoint, nodes } = exported;
  const rows = [input, ...outputs].map(({ name, shape, description }, i) => [
    i === 0 ? 'input' : 'output',
    name,
    shape.join(' x '),
    description,
  ]);
  process.stdout.write(
    `${textTable([{ title: '' }, { title: 'name' }, { title: 'shape' }, { title: 'what it is' }], rows)}\n\n${out}: ${compact(bytes)}B, ${nodes} operators, weights of ${checkpoint}\n`,
  );
}
