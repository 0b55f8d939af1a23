// What a weights file says about its model besides the shapes of tensors: a config.json in the same folder, as
// published checkpoints have, or the backbone in the metadata of files that mtcp wrote.
import { catalog } from '../../../registry/catalog.js';
import type { CheckpointFormat } from '../../../registry/contracts/checkpoints.js';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { withDefaults, type Slot } from '../../../registry/options.js';
import type { WeightsSource } from '../../support/weights-source.js';
import { renamed, shapesOf } from './fit.js';
import { backboneNames, splitTensors } from './split.js';

/** Name in the metadata of a file. */
const KEY = 'backbone';

const BACKBONE = new JsonFormat<Slot>(
  'a backbone with its options',
  { type: 'object', required: ['type'], properties: { type: { type: 'string' } } },
  { kind: 'weights' },
);

/** The backbone that public checkpoints fit: a trial's own, or the one inside it; and the format of such files. */
export function checkpointsOf({ type, ...given }: Slot): {
  backbone: Slot;
  format: CheckpointFormat | undefined;
} {
  const { options, checkpoint, encodes } = catalog.get('backbone', type);
  const whole = withDefaults(options, given);
  if (!encodes) return { backbone: { type, ...whole }, format: checkpoint };
  const inner = checkpointsOf(whole[encodes.option] as Slot);
  if (!inner.format || !encodes.own) return inner;
  const fresh = [...(inner.format.fresh ?? []), encodes.own];
  return { backbone: inner.backbone, format: { ...inner.format, fresh } };
}

/** What goes into the metadata of a file with a backbone's weights. */
export const backboneMetadata = (backbone: Slot): Record<string, string> => ({
  [KEY]: JSON.stringify(backbone),
});

/**
 * Settings as the family's config.json has them.
 * @param type of the backbone that the file is for
 * @throws MtcpError `weights` if the metadata is damaged
 */
export function settingsOf(
  source: WeightsSource,
  type: string,
  format: CheckpointFormat,
): Readonly<Record<string, unknown>> {
  const text = source.metadata[KEY];
  if (text === undefined) return source.settings;
  const { type: own, ...options } = BACKBONE.parse(text, `${source.path}, metadata "${KEY}"`);
  if (own !== type && own !== format.of) return source.settings;
  try {
    return { ...source.settings, ...format.settings(options) };
  } catch (cause) {
    throw new MtcpError('weights', `its metadata does not describe a backbone "${type}"`, {
      where: source.path,
      cause,
    });
  }
}

/** The options of a backbone of this family that the file fits; see `CheckpointFormat.infer`. */
export function inferOptions(
  source: WeightsSource,
  format: CheckpointFormat,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const shapes = [...shapesOf(splitTensors(source, format, backboneNames(source)).tensors)].map(
    ([name, shape]) => [renamed(name.replace(/^backbone\./, ''), format), shape] as const,
  );
  return format.infer(new Map(shapes), settings);
}

/**
 * Compares options that no shape tells with what the file says of itself; a file that says nothing is taken.
 * @throws MtcpError `weights` if the model has another value, with which the same numbers compute something else
 */
export function requireTold(
  source: WeightsSource,
  { type, ...options }: Slot,
  format: CheckpointFormat | undefined,
  where: string,
): void {
  if (!format?.untold) return;
  const settings = settingsOf(source, type, format);
  if (Object.keys(settings).length === 0) return;
  const told = inferOptions(source, format, settings);
  for (const option of format.untold)
    if (JSON.stringify(told[option]) !== JSON.stringify(options[option]))
      throw new MtcpError(
        'weights',
        `${source.path} was trained with ${option}: ${JSON.stringify(told[option])}, the model has ${JSON.stringify(options[option])}; the shapes are the same, the results are not`,
        { where, hint: `set model.backbone.${option} to ${JSON.stringify(told[option])}` },
      );
}
