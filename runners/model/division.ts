// Whether a batch can be divided among the devices of an engine. `train.batch` is the whole batch, whatever their number;
// each device gets an equal part of every micro-batch.
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
