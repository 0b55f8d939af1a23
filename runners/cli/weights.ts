// mtcp weights import and export.
import '../../modules/index.js';
import { basename, extname, resolve } from 'node:path';
import { dump } from 'js-yaml';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { exportWeights } from '../app/weights/export.js';
import { importWeights, type Imported } from '../app/weights/import.js';

const thousands = (n: number): string => n.toLocaleString('en-US');

export async function importFile(
  source: string,
  { out, backbone, json }: { out?: string; backbone?: string; json?: boolean },
): Promise<void> {
  const name = basename(resolve(source), extname(source) === '.safetensors' ? '.safetensors' : '');
  const target = out ?? `weights/${name}.safetensors`;
  if (resolve(target) === resolve(source))
    throw new MtcpError('usage', 'the file would be written over itself', {
      where: `argument "--out ${target}"`,
      hint: 'choose another name with -o',
    });
  const imported = await importWeights(source, target, backbone);
  if (json) {
    const { fit, ...rest } = imported;
    const { renamed, skipped, fresh, missing, unexpected } = fit;
    process.stdout.write(
      `${JSON.stringify({ ...rest, tensors: fit.taken.size, renamed, skipped, fresh, missing, unexpected }, null, 2)}\n`,
    );
  } else process.stdout.write(`${report(source, imported)}\n`);
}

function report(
  source: string,
  { backbone, variant, digest, fit, parameters, stored, out }: Imported,
): string {
  const { type, ...options } = backbone;
  const examples = fit.renamed.slice(0, 2).map(({ from, to }) => `    ${from} -> ${to}`);
  return [
    `${source}: ${type}${variant ? `, ${variant}` : ', none of the published sizes'}, ${thousands(stored)} numbers`,
    `  taken       ${fit.taken.size} tensors, ${thousands(parameters)} parameters; none missing, none unexpected, every shape checked`,
    `  renamed     ${fit.renamed.length} tensors`,
    ...examples,
    `  left out    ${fit.skipped.length} tensors`,
    ...byReason(fit.skipped),
    ...(fit.fresh.length > 0 ? [`  drawn anew  ${fit.fresh.length} tensors`, ...byReason(fit.fresh)] : []),
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
