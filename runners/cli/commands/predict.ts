// mtcp predict
import type { Command } from 'commander';
import { CHECKPOINT, QUIET } from '../flags.js';

export function predict(program: Command): void {
  program
    .command('predict')
    .summary('apply a trained trial to images')
    .description(
      'Predicts every task for images of any size and writes a colour map for each, a contact sheet with legends (predictions.png), and what it wrote as predictions.json.',
    )
    .argument('<run>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
    .argument('<images...>', 'image files')
    .requiredOption('-o, --output <dir>', 'folder to write into')
    .option('--raw <format>', 'also the values themselves: npy (float32) or png16')
    .option(
      '--size <HxW>',
      "size of the network's input; native is the image's own. By default the size it was trained at",
    )
    .option(...CHECKPOINT)
    .option('--json', 'what was written as one JSON document')
    .option(...QUIET)
    .addHelpText(
      'after',
      `
Examples:
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d photos/*.jpg -o maps
  mtcp predict runs/table3/mt-cp-s0-1a2b3c4d room.png -o maps --raw npy --size native`,
    )
    .action(async (run, images, options) => (await import('../predict.js')).predict(run, images, options));
}
