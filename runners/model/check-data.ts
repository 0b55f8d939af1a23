// Checks of a trial's data before anything is rendered, decoded or trained: missing folders, and batches larger than
// the split.
import { existsSync } from 'node:fs';
import { catalog } from '../../registry/catalog.js';
import { isReadPath } from '../../registry/options.js';
import { createTrialContainer } from '../../registry/container.js';
import { messageOf, MtcpError } from '../../registry/errors.js';
import { heldOutCount } from '../data/held-out.js';
import type { Assembly } from './assemble.js';
import type { Misfit } from './misfit.js';
import { judgedSplit } from './selection.js';

export async function dataMisfits(assembly: Assembly): Promise<Misfit[]> {
  const absent = absentFolders(assembly);
  if (absent.length > 0) return absent;
  const { spec, tasks, criterion } = assembly;
  const { data, train, evaluate } = spec.config;
  const samples = await trainingSamples(assembly);
  if (typeof samples !== 'number') return [samples];
  if (!Number.isFinite(samples)) return [];
  const share = judgedSplit(spec.config, criterion.scheme) === 'held-out' ? evaluate.selection.share : 0;
  const heldOut = heldOutCount(share, samples);
  const left = samples - heldOut;
  if (left >= train.batch) return [];
  const kept = heldOut > 0 ? ` (${heldOut} of ${samples} are held out)` : '';
  return [
    {
      path: ['train', 'batch'],
      message: `${left} training samples${kept} do not fill a batch of ${train.batch}`,
      hint:
        left > 0
          ? `set train.batch to ${left} or less`
          : `data set "${data.type}" has no sample with labels for ${tasks.map(({ name }) => name).join(', ')}`,
    },
  ];
}

function absentFolders({ spec: { config } }: Assembly): Misfit[] {
  const { properties } = catalog.get('dataset', config.data.type).options;
  return Object.entries(properties).flatMap(([option, schema]): Misfit[] => {
    const path = config.data[option];
    if (!isReadPath(schema) || typeof path !== 'string' || existsSync(path)) return [];
    return [
      {
        path: ['data', option],
        message: `there is nothing at ${path}`,
        hint: 'name the folder of the data set here or with --data; ~ and $HOME are not expanded inside a file',
      },
    ];
  });
}

/** Steps of an epoch; undefined where only making the data tells, or where they cannot be read. */
export async function stepsPerEpoch(assembly: Assembly): Promise<number | undefined> {
  const samples = await trainingSamples(assembly);
  if (typeof samples !== 'number' || !Number.isFinite(samples)) return undefined;
  const { spec, criterion } = assembly;
  const { train, evaluate } = spec.config;
  const share = judgedSplit(spec.config, criterion.scheme) === 'held-out' ? evaluate.selection.share : 0;
  return Math.floor((samples - heldOutCount(share, samples)) / train.batch);
}

/** Samples of the training split; Infinity where only making the data tells. */
async function trainingSamples({ spec, tasks }: Assembly): Promise<number | Misfit> {
  const dataset = createTrialContainer(tasks).create('dataset', spec.config.data);
  if (dataset.counts) return dataset.counts.train;
  try {
    return (await dataset.ids('train')).length;
  } catch (error) {
    if (!MtcpError.is(error)) return Infinity;
    return { path: ['data'], message: messageOf(error) };
  }
}
