// mtcp weights import SOURCE EXPERIMENT --row ROW: imports a whole network as its authors published it. The row says
// which components it has, and a table (modules/checkpoints/authors) which tensor is which parameter. Every tensor
// and every parameter must have a counterpart. The result holds the whole network under our names, as `mtcp forward
// --weights` reads it.
import { basename, dirname } from 'node:path';
import { AUTHORS } from '../../../modules/checkpoints/authors/index.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { AuthorsFormat } from '../../../registry/contracts/checkpoints.js';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import type { TrialSpec } from '../../config/index.js';
import { assembled } from '../../model/assemble.js';
import { tableOf } from '../../model/table.js';
import { fitTensors, renamed, requireFit, shapesOf, type Fit, type Shapes } from '../../store/weights/fit.js';
import { splitTensors } from '../../store/weights/split.js';
import { shapesIn } from '../../store/weights/start.js';
import { backboneMetadata, checkpointsOf } from '../../store/weights/told.js';
import { writeSafetensors } from '../../support/safetensors.js';
import { numbersIn } from '../../support/host-tensor.js';
import { tensorOf } from '../../support/tensor-file.js';
import { digestOf, WeightsSource } from '../../support/weights-source.js';

export interface ImportedSystem {
  /** Whose names the file has. */
  system: string;
  digest: string;
  fit: Fit;
  /** Numbers in the tensors taken. */
  parameters: number;
  out: string;
}

const SECTION = 'backbone.';

/**
 * @param as name of the table, where the file's names do not tell
 * @throws MtcpError `weights` if the file is of no known network or does not fit the row's; nothing is written then
 */
export async function importSystem(
  path: string,
  trial: TrialSpec,
  out: string,
  as?: string,
): Promise<ImportedSystem> {
  const source = new WeightsSource(path);
  try {
    source.verify();
    const format = tableFor([...source.tensors.keys()], path, as);
    const file = splitTensors(source, format);
    const { backbone } = trial.config.model;
    const { format: checkpoint } = checkpointsOf(backbone);
    const names = [...file.tensors.keys()];
    const rules = format.renames(names);
    const ours = (name: string) => {
      const place = rules.reduce((left, [pattern, to]) => left.replace(pattern, to), name);
      return place.startsWith(SECTION) ? SECTION + renamed(place.slice(SECTION.length), checkpoint) : place;
    };
    const parts = assembled(trial);
    const { size } = createTrialContainer(parts.tasks).create('transform', trial.config.augment);
    const wanted = shapesIn(await tableOf(parts, size));
    const skips = [...format.skips, ...(checkpoint?.skips ?? [])];
    const fit = fitTensors(shapesOf(file.tensors), wanted, skips, (name) => [ours(name)]);
    requireFit(
      fit,
      path,
      `row "${trial.row}"`,
      `the row must be composed as ${format.name} was (${format.source}), with its sizes and tasks; \`mtcp describe\` shows what it is made of`,
    );
    const digest = digestOf(path)!;
    const tensors = new Map(
      [...fit.taken].map(([name, from]) => [name, tensorOf(file, from, wanted.get(name))]),
    );
    makeFolder(dirname(out));
    writeSafetensors(out, tensors, {
      format: 'mtcp weights',
      ...backboneMetadata(backbone),
      system: format.name,
      source: basename(path),
      digest,
    });
    return { system: format.name, digest, fit, parameters: total(fit, wanted), out };
  } finally {
    source.close();
  }
}

function tableFor(names: readonly string[], path: string, as: string | undefined): AuthorsFormat {
  const known = AUTHORS.map(({ name }) => name);
  if (as !== undefined) {
    const chosen = AUTHORS.find(({ name }) => name === as);
    if (chosen) return chosen;
    throw new MtcpError('usage', `there is no table of names for "${as}"`, {
      where: `argument "--system ${as}"`,
      hint: didYouMean(as, known),
    });
  }
  const found = AUTHORS.filter(({ sign }) => names.some((name) => sign.test(name)));
  if (found.length === 1) return found[0];
  throw new MtcpError('weights', `${path} is no whole network whose names are known here`, {
    hint: `known are those of ${known.join(', ')}; for a backbone alone leave the experiment out`,
  });
}

const total = (fit: Fit, wanted: Shapes): number =>
  [...fit.taken.keys()].reduce((sum, name) => sum + numbersIn(wanted.get(name)!), 0);
