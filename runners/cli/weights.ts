// mtcp weights import and export.
import '../../modules/index.js';
import { existsSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { dump } from 'js-yaml';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { exportWeights } from '../app/weights/export.js';
import { importWeights, type Imported } from '../app/weights/import.js';
import { distinctNames } from '../support/names.js';
import { digestOf } from '../support/weights-source.js';
import { parseCount } from './flags.js';

const thousands = (n: number): string => n.toLocaleString('en-US');

export async function importFile(
  source: string,
  { out, backbone, heads, json }: { out?: string; backbone?: string; heads?: string; json?: boolean },
): Promise<void> {
  const target = out ?? defaultTarget(source);
  if (resolve(target) === resolve(source))
    throw new MtcpError('usage', 'the file would be written over itself', {
      where: `argument "--out ${target}"`,
      hint: 'choose another name with -o',
    });
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

/**
 * Named after the file, or the folder that it is the weights of.
 * @throws MtcpError `usage` if another checkpoint was imported under that name
 */
function defaultTarget(source: string): string {
  const whole = basename(source) === 'model.safetensors' ? dirname(resolve(source)) : resolve(source);
  const [name] = distinctNames([basename(whole, extname(whole) === '.safetensors' ? '.safetensors' : '')]);
  const target = `weights/${name}.safetensors`;
  if (existsSync(target) && digestOf(target) !== digestOf(source))
    throw new MtcpError('usage', `there is ${target} already, made of another checkpoint`, {
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

const PARTS = ['model', 'backbone'] as const;

export function exportFolder(
  folder: string,
  { out, part, checkpoint, json }: { out: string; part: string; checkpoint?: string; json?: boolean },
): void {
  const chosen = PARTS.find((known) => known === part);
  if (!chosen)
    throw new MtcpError('usage', `there is no part "${part}"`, {
      where: `argument "--part ${part}"`,
      hint: didYouMean(part, PARTS),
    });
  const exported = exportWeights({ folder, out, part: chosen, checkpoint });
  if (json) process.stdout.write(`${JSON.stringify(exported, null, 2)}\n`);
  else
    process.stdout.write(
      `${exported.row}, seed ${exported.seed}: ${exported.tensors} tensors, ${thousands(exported.parameters)} numbers from ${exported.checkpoint}\nwritten: ${exported.out}\n`,
    );
}
