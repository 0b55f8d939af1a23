// mtcp weights
import type { Command } from 'commander';
import { JSON_DOCUMENT } from '../flags.js';

export function weights(program: Command): void {
  const weights = program.command('weights').summary('read public checkpoints, write trained ones');
  weights
    .command('import')
    .summary('make a file that a backbone starts from')
    .description(
      'Reads a checkpoint (a safetensors file, or a folder as Hugging Face has it), finds out what model it is, checks every name and shape, and writes the tensors a backbone needs under its own names. Anything missing or unexpected is an error; nothing is written then.',
    )
    .argument('<source>', 'file.safetensors, or a folder with model.safetensors and config.json')
    .option('-o, --out <file>', 'file to write; weights/NAME.safetensors if left out')
    .option('--backbone <type>', 'the component the file is for, where the file does not tell')
    .option('--heads <n>', 'attention heads, where neither shapes nor a config.json tell')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp weights import mask2former-swin-small-ade-semantic/
  mtcp weights import model.safetensors -o weights/swin-s.safetensors`,
    )
    .action(async (source, options) => (await import('../weights.js')).importFile(source, options));
  weights
    .command('export')
    .summary("write a trial's weights as safetensors")
    .description(
      'Writes the weights of a checkpoint as one safetensors file, or with --part backbone a folder that the reference implementation (transformers, ...) opens.',
    )
    .argument('<trial>', "a trial's folder, such as runs/table3/mt-cp-s0-1a2b3c4d")
    .requiredOption('-o, --out <path>', 'file to write; a folder for --part backbone')
    .option('--part <part>', 'model or backbone', 'model')
    .option('--checkpoint <name>', 'which one, such as best or step-00000120; the newest if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.safetensors
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d --part backbone -o mask2former/`,
    )
    .action(async (folder, options) => (await import('../weights.js')).exportFolder(folder, options));
}
