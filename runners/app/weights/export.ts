// mtcp weights export: a trained trial as one safetensors file, or its backbone alone as a folder that the reference
// implementation opens.
import { dirname, join } from 'node:path';
import { catalog } from '../../../registry/catalog.js';
import { withDefaults } from '../../../registry/options.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import type { TrialSpec } from '../../config/index.js';
import { writeWhole } from '../../support/files.js';
import { wholeWeights } from '../../store/checkpoint.js';
import { mergedAdapters } from '../../store/weights/adapters.js';
import { backboneMetadata, checkpointsOf } from '../../store/weights/told.js';
import { trialIn, weightsIn } from '../../store/weights/trial-folder.js';
import { numbersIn } from '../../support/host-tensor.js';
import { SafetensorsFile, writeSafetensors, type WritableTensor } from '../../support/safetensors.js';
import { tensorOf } from '../../support/tensor-file.js';

export interface Exported {
  row: string;
  seed: number;
  /** The checkpoint that was read. */
  checkpoint: string;
  out: string;
  tensors: number;
  parameters: number;
}

export interface ExportOptions {
  /** A trial's folder. */
  folder: string;
  /** A file, or for `backbone` a folder. */
  out: string;
  part: 'model' | 'backbone';
  /** How numbers are stored; float32 by default. */
  dtype?: 'float32' | 'float16';
  /** Name of a checkpoint; the newest if left out. */
  checkpoint?: string;
}

/** @throws MtcpError `usage` if there is no such trial or checkpoint, or float16 cannot hold a number */
export function exportWeights({ folder, out, part, dtype = 'float32', checkpoint }: ExportOptions): Exported {
  const trial = trialIn(folder);
  const path = wholeWeights(weightsIn(folder, checkpoint));
  const file = new SafetensorsFile(path);
  const weights = mergedAdapters(file, trial.config.train.lora);
  try {
    const names = [...weights.tensors.keys()].filter(
      (name) => part === 'model' || name.startsWith('backbone.'),
    );
    const tensors = new Map(
      names.map((name): [string, WritableTensor] => [
        part === 'model' ? name : name.slice('backbone.'.length),
        { ...tensorOf(weights, name), half: dtype === 'float16' },
      ]),
    );
    const target = part === 'model' ? out : join(out, 'model.safetensors');
    makeFolder(dirname(target));
    // transformers asks for `format: pt` before it reads a file.
    const { type, ...given } = trial.config.model.backbone;
    const backbone = { type, ...withDefaults(catalog.get('backbone', type).options, given) };
    writeSafetensors(target, tensors, { format: 'pt', trial: trial.hash, ...backboneMetadata(backbone) });
    if (part === 'backbone') writeSettings(trial, out);
    const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + numbersIn(shape), 0);
    return {
      row: trial.row,
      seed: trial.seed,
      checkpoint: path,
      out: target,
      tensors: tensors.size,
      parameters,
    };
  } finally {
    file.close();
  }
}

function writeSettings(trial: TrialSpec, folder: string): void {
  const { backbone, format } = checkpointsOf(trial.config.model.backbone);
  if (!format) return;
  const settings = format.settings(backbone);
  writeWhole(join(folder, 'config.json'), `${JSON.stringify(settings, null, 2)}\n`);
}
