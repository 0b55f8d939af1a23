// mtcp export
import { MtcpError } from '../../registry/errors.js';
import { exportOnnx, ONE_SIZE } from '../inference/export.js';
import { compact } from '../reporting/numbers.js';
import { textTable } from '../reporting/table.js';
import { sizeOfInput } from './predict.js';

export async function exportModel(
  folder: string,
  options: { format: string; output: string; size?: string; checkpoint?: string; json?: boolean },
): Promise<void> {
  if (options.format !== 'onnx')
    throw new MtcpError('usage', `there is no format "${options.format}"`, {
      where: `argument "--format ${options.format}"`,
      hint: 'onnx is the one there is; mtcp weights export writes safetensors',
    });
  if (options.size === 'native' || options.size === 'dynamic')
    throw new MtcpError('usage', 'an exported model has one height and width', {
      where: `argument "--size ${options.size}"`,
      hint: `give them, such as 480x640: ${ONE_SIZE}`,
    });
  const size = sizeOfInput(options.size) as readonly [number, number] | undefined;
  const exported = await exportOnnx({ folder, out: options.output, checkpoint: options.checkpoint, size });
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
