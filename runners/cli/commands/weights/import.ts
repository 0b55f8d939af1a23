// mtcp weights import
import type { Command } from 'commander';
import { dump } from 'js-yaml';
import { existsSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { MtcpError } from '../../../../registry/errors.js';
import type { Imported } from '../../../app/weights/import.js';
import { distinctNames } from '../../../support/names.js';
import { digestOf } from '../../../support/weights-source.js';
import { JSON_DOCUMENT, PROFILE, ROWS, parseCount, type ExperimentOptions } from '../../flags.js';
import { thousands } from '../../text.js';

export function importCommand(weights: Command): void {
  weights
    .command('import')
    .summary('import a public checkpoint as initial weights')
    .description(
      'Reads a checkpoint (a safetensors file, or a folder as Hugging Face has it), recognises its model, checks every name and shape, and writes the tensors of a backbone under the names of mtcp; with an experiment file and a row, those of the whole network. If a tensor is missing or unexpected, this is an error and nothing is written.',
    )
    .argument('<source>', 'file.safetensors, or a folder with model.safetensors and config.json')
    .argument('[file]', 'experiment file, for a whole network as its authors published it')
    .argument('[overrides...]', 'path=value, for example model.interaction.variant=code')
    .option(...PROFILE)
    .option('--row <name>', "the row that is composed as the authors' network", ROWS[2])
    .option(
      '--system <name>',
      'network whose names the file has, if the row does not tell: MT-CP, InvPT, ...',
    )
    .option('-o, --out <file>', 'file to write; weights/NAME.safetensors if left out')
    .option('--backbone <type>', 'backbone that the file is for, if the file does not tell')
    .option('--heads <n>', 'attention heads, if neither shapes nor config.json tell')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp weights import mask2former-swin-small-ade-semantic/
  mtcp weights import model.safetensors -o weights/swin-s.safetensors
  mtcp weights import mti-net.safetensors experiments/table1.yaml --row MTI-Net --profile full`,
    )
    .action((source: string, file: string | undefined, overrides: string[], options) =>
      file === undefined ? importFile(source, options) : importRow(source, file, overrides, options),
    );
}

async function importFile(
  source: string,
  {
    out,
    backbone,
    heads,
    json,
    row,
    system,
  }: {
    out?: string;
    backbone?: string;
    heads?: string;
    json?: boolean;
    row?: string[];
    system?: string;
  },
): Promise<void> {
  await import('../../../../modules/index.js');
  const { importWeights } = await import('../../../app/weights/import.js');
  if (row || system !== undefined)
    throw new MtcpError(
      'usage',
      'a whole network needs an experiment file with its row, and no file was given',
      {
        where: `argument "${row ? `--row ${row[0]}` : `--system ${system}`}"`,
        hint: `mtcp weights import ${source} experiments/table1.yaml --row ROW --profile full`,
      },
    );
  const target = targetOf(source, out);
  const imported = await importWeights(source, target, {
    as: backbone,
    heads: heads === undefined ? undefined : parseCount(heads, '--heads'),
  });
  if (json) {
    const { fit, ...rest } = imported;
    const { renamed, skipped, fresh, missing, unexpected } = fit;
    process.stdout.write(
      `${JSON.stringify({ ...rest, tensors: fit.taken.size, renamed, skipped, fresh, missing, unexpected }, null, 2)}\n`,
    );
  } else process.stdout.write(`${report(source, imported)}\n`);
}

/** A whole network, as its authors published it, for a row. */
async function importRow(
  source: string,
  file: string,
  overrides: string[],
  {
    out,
    system,
    backbone,
    heads,
    json,
    ...options
  }: ExperimentOptions & {
    out?: string;
    system?: string;
    backbone?: string;
    heads?: string;
    json?: boolean;
  },
): Promise<void> {
  await import('../../../../modules/index.js');
  const { importSystem } = await import('../../../app/weights/import-system.js');
  const { oneTrial } = await import('../../one-trial.js');
  if (backbone !== undefined || heads !== undefined)
    throw new MtcpError('usage', 'the backbone is that of the row', {
      where: `argument "${backbone === undefined ? `--heads ${heads}` : `--backbone ${backbone}`}"`,
      hint: 'override model.backbone instead',
    });
  const trial = oneTrial(file, overrides, options);
  const { fit, ...imported } = await importSystem(source, trial, targetOf(source, out), system);
  const { renamed, skipped } = fit;
  const lines = [
    `${source}: ${imported.system}, for row "${trial.row}"`,
    `  taken       ${fit.taken.size} tensors, ${thousands(imported.parameters)} numbers; none missing, none unexpected, every shape checked`,
    `  renamed     ${renamed.length} tensors`,
    `  left out    ${skipped.length} tensors`,
    ...byReason(skipped),
    `  digest      ${imported.digest}`,
    `written: ${imported.out}`,
  ];
  const value = { ...imported, tensors: fit.taken.size, renamed, skipped };
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : lines.join('\n')}\n`);
}

/** @throws MtcpError `usage` if the source would be written over */
function targetOf(source: string, out: string | undefined): string {
  const target = out ?? defaultTarget(source);
  if (resolve(target) === resolve(source))
    throw new MtcpError('usage', 'the file would be written over itself', {
      where: `argument "--out ${target}"`,
      hint: 'choose another name with -o',
    });
  return target;
}

/**
 * Named after the file, or the folder that it is the weights of.
 * @throws MtcpError `usage` if another checkpoint was imported under that name
 */
function defaultTarget(source: string): string {
  const whole = basename(source) === 'model.safetensors' ? dirname(resolve(source)) : resolve(source);
  const [name] = distinctNames([basename(whole, extname(whole) === '.safetensors' ? '.safetensors' : '')]);
  const target = `weights/${name}.safetensors`;
  if (existsSync(target) && digestOf(target) !== digestOf(source))
    throw new MtcpError('usage', `there is ${target} already, made from another checkpoint`, {
      where: `argument "${source}"`,
      hint: 'name a file with -o',
    });
  return target;
}

function report(
  source: string,
  { backbone, variant, digest, fit, parameters, stored, stripped, out }: Imported,
): string {
  const { type, ...options } = backbone;
  const examples = fit.renamed.slice(0, 2).map(({ from, to }) => `    ${from} -> ${to}`);
  return [
    `${source}: ${type}${variant ? `, ${variant}` : ', none of the published sizes'}, ${thousands(stored)} numbers`,
    `  taken       ${fit.taken.size} tensors, ${thousands(parameters)} parameters; none missing, none unexpected, every shape checked`,
    ...(stripped.length > 0 ? [`  left off    ${stripped.join(', ')}, in front of the names`] : []),
    `  renamed     ${fit.renamed.length} tensors`,
    ...examples,
    `  left out    ${fit.skipped.length} tensors`,
    ...byReason(fit.skipped),
    ...(fit.fresh.length > 0 ? [`  initialised  ${fit.fresh.length} tensors`, ...byReason(fit.fresh)] : []),
    `  digest      ${digest}`,
    `written: ${out}`,
    '',
    'In an experiment file:',
    dump(
      { model: { backbone: { type, ...options } }, weights: { backbone: out } },
      { flowLevel: 3, lineWidth: 110 },
    ).trimEnd(),
  ].join('\n');
}

function byReason(named: readonly { name: string; reason: string }[]): string[] {
  const reasons = new Map<string, string[]>();
  for (const { name, reason } of named) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  return [...reasons].map(([reason, names]) => `    ${names.join(', ')}: ${reason}`);
}
