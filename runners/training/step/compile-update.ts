// The update of an optimizer on an engine: in one pass where that is possible.
import type { Optimizer } from '../../../registry/contracts/learning.js';
import type { Engine } from '../../engine/engine.js';
import type { TrainedParameters } from '../../model/groups.js';
import { OnePassUpdate } from './one-pass-update.js';
import { PiecewiseUpdate } from './piecewise-update.js';
import type { Update } from './update.js';

export async function compileUpdate(
  engine: Engine,
  optimizer: Optimizer,
  trained: TrainedParameters,
  clipped: boolean,
): Promise<Update> {
  return (
    (await OnePassUpdate.compile(engine, optimizer, trained, clipped)) ??
    (await PiecewiseUpdate.compile(engine, optimizer, trained, clipped))
  );
}
