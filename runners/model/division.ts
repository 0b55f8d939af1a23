// Whether a batch can be divided among the devices of an engine, and its micro-batches among processes. `train.batch` is
// the whole batch, whatever their number; each device gets an equal part of every micro-batch, and each process as many
// micro-batches.
import type { Scheme } from '../../registry/contracts/scheme.js';
import type { TrainConfig } from '../config/trial.js';

/** What to say of a batch that cannot be divided; undefined if it can. */
export function undivided(
  { batch, accumulate }: Pick<TrainConfig, 'batch' | 'accumulate'>,
  devices: number,
): { message: string; hint: string } | undefined {
  const share = batch / accumulate;
  // Of an `accumulate` that does not divide the batch there is another message.
  if (share % devices === 0 || !Number.isInteger(share)) return undefined;
  const divisors = Array.from({ length: share }, (_, i) => i + 1).filter((i) => share % i === 0);
  const whole =
    accumulate === 1
      ? `train.batch ${batch}`
      : `the micro-batches of ${share} (train.batch ${batch}, train.accumulate ${accumulate})`;
  const larger = Math.ceil(share / devices) * devices * accumulate;
  return {
    message: `engine.devices ${devices} does not divide ${whole}`,
    hint: `the batch is divided among the devices, which can be ${divisors.join(', ')}; or set \`train: {batch: ${larger}}\`, which is another trial`,
  };
}

/** What to say of micro-batches that cannot be dealt out to so many processes; undefined if they can. */
export function undealt(
  { batch, accumulate }: Pick<TrainConfig, 'batch' | 'accumulate'>,
  processes: number,
): { message: string; hint: string } | undefined {
  if (accumulate % processes === 0) return undefined;
  const divisors = Array.from({ length: accumulate }, (_, i) => i + 1).filter((i) => accumulate % i === 0);
  const least = Math.ceil(accumulate / processes) * processes;
  const fitting = Array.from({ length: batch }, (_, i) => i + 1).find(
    (i) => i >= least && i % processes === 0 && batch % i === 0,
  );
  const other =
    fitting === undefined
      ? `batch: ${least * Math.max(1, Math.round(batch / least))}, accumulate: ${least}`
      : `accumulate: ${fitting}`;
  return {
    message: `${processes} processes cannot share a step of ${accumulate} micro-batch${accumulate === 1 ? '' : 'es'}`,
    hint: `the number of processes divides train.accumulate, so it can be ${divisors.join(', ')}; or set \`train: {${other}}\`, which is another trial`,
  };
}

/** Whether a scheme looks at the gradients or losses of a whole batch, which cannot consist of micro-batches then. */
export const takesWholeBatches = ({ needs }: Pick<Scheme, 'needs'>): boolean =>
  (needs?.gradients !== undefined && (needs.gradients.samples ?? 1) === 1) || needs?.again === true;

/** What to say of a scheme whose steps several processes cannot share; undefined if they can. */
export function unsharedScheme({
  needs,
}: Pick<Scheme, 'needs'>): { message: string; hint: string } | undefined {
  const rule = needs?.gradients;
  if (!rule || rule.onlyProducts) return undefined;
  return {
    message:
      "several processes cannot share a step of this scheme: it looks at whole gradients of each micro-batch, which are in one process's memory",
    hint: 'train in one process, or choose a scheme that weighs losses or looks at products of gradients only (docs/engines.md)',
  };
}
