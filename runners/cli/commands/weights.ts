// mtcp weights
import type { Command } from 'commander';
import { JSON_DOCUMENT, PROFILE, ROWS } from '../flags.js';

export function weights(program: Command): void {
  const weights = program.command('weights').summary('read public checkpoints, write trained ones');
  weights
    .command('import')
    .summary('make a file that a backbone starts from')
    .description(
      'Reads a checkpoint (a safetensors file, or a folder as Hugging Face has it), finds out what model it is, checks every name and shape, and writes the tensors a backbone needs under its own names; with an experiment file and a row those of the whole network. Anything missing or unexpected is an error; nothing is written then.',
    )
    .argument('<source>', 'file.safetensors, or a folder with model.safetensors and config.json')
    .argument('[file]', 'experiment file, for a whole network as its authors published it')
    .argument('[overrides...]', 'path=value, for example model.interaction.variant=code')
    .option(...PROFILE)
    .option('--row <name>', "the row that is composed as the authors' network", ROWS[2])
    .option('--system <name>', 'whose names the file has, where it does not tell: MT-CP, InvPT, ...')
    .option('-o, --out <file>', 'file to write; weights/NAME.safetensors if left out')
    .option('--backbone <type>', 'the component the file is for, where the file does not tell')
    .option('--heads <n>', 'attention heads, where neither shapes nor a config.json tell')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp weights import mask2former-swin-small-ade-semantic/
  mtcp weights import model.safetensors -o weights/swin-s.safetensors
  mtcp weights import mti-net.safetensors experiments/table1.yaml --row MTI-Net --profile full`,
    )
    .action(async (source, file, overrides, options) => {
      const weights = await import('../weights.js');
      return file === undefined
        ? weights.importFile(source, options)
        : weights.importRow(source, file, overrides, options);
    });
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
