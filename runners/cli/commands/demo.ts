// mtcp demo
import type { Command } from 'commander';
import { compact } from '../../reporting/numbers.js';
import { CHECKPOINT, JSON_DOCUMENT, sizeOfInput } from '../flags.js';
import { MtcpError } from '../../../registry/errors.js';

export function declare(command: Command): void {
  command
    .description(
      'Writes a folder of static files, a page in which the trained network runs in the browser: drop a picture or use the camera, and see all tasks side by side. Any static file server can serve it. Needs the package onnxruntime-web.',
    )
    .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
    .requiredOption('-o, --out <dir>', 'folder to write')
    .option('--size <HxW>', "size of the network's input; by default the size it was trained at")
    .option(...CHECKPOINT)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Example:
  mtcp demo runs/table3/mt-cp-s0-1a2b3c4d -o demo
  python3 -m http.server --directory demo --bind 127.0.0.1 8000     then open http://localhost:8000`,
    )
    .action(demo);
}

async function demo(
  folder: string,
  { out, size, checkpoint, json }: { out: string; size?: string; checkpoint?: string; json?: boolean },
): Promise<void> {
  const { makeDemo } = await import('../../inference/demo/folder.js');
  const parsed = sizeOfInput(size);
  if (parsed === 'native')
    throw new MtcpError('usage', 'the model of a page has a fixed height and width', {
      where: `argument "--size ${size}"`,
      hint: 'give them, such as 480x640; pictures of any size are resized to it',
    });
  const made = await makeDemo({ folder, out, size: parsed, checkpoint });
  if (json) process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
  else
    process.stdout.write(
      `${out}: a page with the network (${compact(made.bytes)}B), weights of ${made.checkpoint}\nserve the folder, for example: python3 -m http.server --directory ${out} --bind 127.0.0.1 8000\n`,
    );
}
