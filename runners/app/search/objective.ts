// Checks what a search optimises, before anything is trained.
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { where } from '../../config/source-text.js';
import type { Experiment, SearchSpec } from '../../config/index.js';
import { keyOf, type Primary } from '../../reporting/measure.js';

/** @throws MtcpError `config` if no trial can have the score */
export function requireObjective(
  { objective, mark }: SearchSpec,
  { report }: Experiment,
  primary: Primary,
): void {
  if (objective === 'all' || (objective === 'delta_m' && report.delta_m)) return;
  const known = [...primary].map(([task, info]) => keyOf(task, info));
  if (known.includes(objective)) return;
  throw new MtcpError(
    'config',
    objective === 'delta_m'
      ? 'the objective delta_m needs baselines in report.delta_m'
      : `no task has a primary metric "${objective}"`,
    { where: where(mark), hint: didYouMean(objective, ['all', 'delta_m', ...known]) },
  );
}
