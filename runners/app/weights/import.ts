// mtcp weights import: converts a public checkpoint. It is recognised by the names of its tensors, its architecture
// is derived from their shapes, and each tensor is checked against the component that is built from it. The result is
// one file under our names, from which a trial's `weights.backbone` starts.
import { basename, dirname } from 'node:path';
import type { Tensor4D } from '../../../registry/tf.js';
import { ParameterTable, Pass } from '../../../modules/nn/scope.js';
import { catalog } from '../../../registry/catalog.js';
import type { ComponentEntry } from '../../../registry/entry.js';
import { createTrialContainer } from '../../../registry/container.js';
import type { CheckpointFormat } from '../../../registry/contracts/checkpoints.js';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { record } from '../../engine/recording.js';
import { fitBackbone, requireFit, shapesOf, type Fit, type Shapes } from '../../store/weights/fit.js';
import { writeSafetensors } from '../../support/safetensors.js';
import { numbersIn } from '../../support/host-tensor.js';
import { tensorOf } from '../../support/tensor-file.js';
import { digestOf, WeightsSource } from '../../support/weights-source.js';
import { backboneNames, splitTensors } from '../../store/weights/split.js';
import { backboneMetadata, inferOptions, settingsOf } from '../../store/weights/told.js';

export interface Imported {
  /** Component that the file is for, as a trial's `model.backbone` names it. */
  backbone: { type: string; [option: string]: unknown };
  /** What the model is called among its relatives. */
  variant: string | undefined;
  digest: string;
  fit: Fit;
  /** Numbers in the tensors taken, and in all tensors of the file. */
  parameters: number;
  stored: number;
  /** What was left off in front of all names; see `WeightsSource`. */
  stripped: readonly string[];
  out: string;
}

type Known = ComponentEntry & { checkpoint: CheckpointFormat };

/** Any size at which every stage has a few cells, in whole patches; shapes of parameters do not depend on it. */
const sizeFor = ({ patch }: Record<string, unknown>): number => (typeof patch === 'number' ? 4 * patch : 64);

export interface ImportOptions {
  /** The backbone component, where the file does not tell. */
  as?: string;
  /** Attention heads, where neither shapes nor settings tell. */
  heads?: number;
}

/** What families call the number of attention heads in their settings. */
const headsAs = (heads: number) => ({ num_attention_heads: heads, num_heads: heads });

/**
 * @throws MtcpError `weights` if the file is of no known family, does not fit or is damaged; nothing is written then
 */
export async function importWeights(
  path: string,
  out: string,
  { as, heads }: ImportOptions = {},
): Promise<Imported> {
  const source = new WeightsSource(path);
  try {
    source.verify();
    const { entry, options } = recognise(source, as, heads);
    const wanted = await parametersOf(entry.name, options);
    const file = splitTensors(source, entry.checkpoint, backboneNames(source));
    const stored = shapesOf(file.tensors);
    const fit = fitBackbone(stored, wanted, entry.checkpoint, []);
    requireFit(fit, path);
    const digest = digestOf(path)!;
    const tensors = new Map(
      [...fit.taken].map(([name, from]) => [
        name.slice('backbone.'.length),
        tensorOf(file, from, wanted.get(name)),
      ]),
    );
    const metadata = {
      format: 'mtcp backbone weights',
      ...backboneMetadata({ type: entry.name, ...options }),
      source: basename(path),
      digest,
    };
    makeFolder(dirname(out));
    writeSafetensors(out, tensors, metadata);
    return {
      backbone: { type: entry.name, ...options },
      variant: entry.checkpoint.variant(options),
      digest,
      fit,
      parameters: total(new Map([...wanted].filter(([name]) => fit.taken.has(name)))),
      stored: total(stored),
      stripped: source.stripped,
      out,
    };
  } finally {
    source.close();
  }
}

function recognise(
  source: WeightsSource,
  as: string | undefined,
  heads: number | undefined,
): { entry: Known; options: Record<string, unknown> } {
  const known = catalog
    .list('backbone')
    .filter((entry): entry is Known => entry.checkpoint !== undefined && entry.checkpoint.of === undefined);
  const candidates = as === undefined ? known : known.filter(({ name }) => name === as);
  if (candidates.length === 0)
    throw new MtcpError('usage', `there is no backbone "${as}" with public checkpoints`, {
      where: `argument "--backbone ${as}"`,
      hint: didYouMean(
        as ?? '',
        known.map(({ name }) => name),
      ),
    });
  const failures: string[] = [];
  for (const entry of candidates) {
    const { checkpoint } = entry;
    try {
      const told = settingsOf(source, entry.name, checkpoint);
      const settings = heads === undefined ? told : { ...told, ...headsAs(heads) };
      return { entry, options: inferOptions(source, checkpoint, settings) };
    } catch (error) {
      if (!MtcpError.is(error, 'weights')) throw error;
      // The family is known by its names, and something is missing that it needs.
      if (error.option !== undefined)
        throw new MtcpError('weights', error.message, { where: source.path, hint: error.hint, cause: error });
      failures.push(`${entry.name} (${checkpoint.title}): ${error.message}`);
    }
  }
  throw new MtcpError(
    'weights',
    `${source.path} is no checkpoint that is known here\n  ${failures.join('\n  ')}`,
    {
      hint: `known are, for example, ${candidates.map(({ checkpoint }) => checkpoint.example).join('; ')}`,
    },
  );
}

/** Parameters and buffers of a backbone with these options, found by running it on shapes alone. */
async function parametersOf(type: string, options: Record<string, unknown>): Promise<Shapes> {
  const backbone = createTrialContainer([]).create('backbone', { type, ...options });
  const table = new ParameterTable();
  await record((tracer) => {
    const pass = new Pass(table, tracer, false);
    const size = sizeFor(options);
    const image = tracer.input('image', 'float32', [1, size, size, 3]) as Tensor4D;
    backbone.forward(pass.root.at('backbone'), { data: image, stride: 1 });
    return {};
  });
  return shapesOf(new Map<string, { shape: number[] }>([...table.parameters, ...table.buffers]));
}

const total = (shapes: Shapes): number =>
  [...shapes.values()].reduce((sum, shape) => sum + numbersIn(shape), 0);
