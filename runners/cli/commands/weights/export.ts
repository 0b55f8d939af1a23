// mtcp weights export
import type { Command } from 'commander';
import { MtcpError } from '../../../../registry/errors.js';
import { didYouMean } from '../../../../registry/support/near.js';
import { thousands } from '../../text.js';
import { JSON_DOCUMENT } from '../../flags.js';

export function exportCommand(weights: Command): void {
  weights
    .command('export')
    .summary("write a trial's weights as safetensors")
    .description(
      'Writes the weights of a checkpoint as one safetensors file, or with --part backbone a folder that the reference implementation (transformers, ...) opens.',
    )
    .argument('<trial>', "a trial's folder, such as runs/table3/mt-cp-s0-1a2b3c4d")
    .requiredOption('-o, --out <path>', 'file to write; a folder for --part backbone')
    .option('--part <part>', 'model or backbone', 'model')
    .option('--dtype <type>', 'float32 or float16, which takes half the space', 'float32')
    .option('--checkpoint <name>', 'checkpoint, such as best or step-00000120; the newest if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d -o mt-cp.safetensors
  mtcp weights export runs/table3/mt-cp-s0-1a2b3c4d --part backbone -o mask2former/`,
    )
    .action(exportFolder);
}

const PARTS = ['model', 'backbone'] as const;
const DTYPES = ['float32', 'float16'] as const;

function oneOf<const T extends string>(flag: string, name: string, all: readonly T[]): T {
  const chosen = all.find((known) => known === name);
  if (chosen) return chosen;
  throw new MtcpError('usage', `there is no ${flag} "${name}"`, {
    where: `argument "--${flag} ${name}"`,
    hint: didYouMean(name, all),
  });
}

async function exportFolder(
  folder: string,
  {
    out,
    part,
    dtype,
    checkpoint,
    json,
  }: { out: string; part: string; dtype: string; checkpoint?: string; json?: boolean },
): Promise<void> {
  await import('../../../../modules/index.js');
  const { exportWeights } = await import('../../../app/weights/export.js');
  const exported = exportWeights({
    folder,
    out,
    part: oneOf('part', part, PARTS),
    dtype: oneOf('dtype', dtype, DTYPES),
    checkpoint,
  });
  if (json) process.stdout.write(`${JSON.stringify(exported, null, 2)}\n`);
  else
    process.stdout.write(
      `${exported.row}, seed ${exported.seed}: ${exported.tensors} tensors, ${thousands(exported.parameters)} numbers from ${exported.checkpoint}\nwritten: ${exported.out}\n`,
    );
}
