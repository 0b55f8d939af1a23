// A device that fails while programs run on it. There are two cases, and training goes on differently after them: memory
// that is refused is there again when the trial has been closed; a device that has stopped working is of no use to
// this process any more (drivers answer each later call with the same error).
import { MtcpError } from '../../registry/errors.js';

const HINTS = {
  memory:
    'these take less: a smaller train.batch, more micro-batches (train.accumulate), `memory: { recompute: always }`, `engine: { precision: bfloat16 }`, and a smaller evaluate.batch if it ran out during an evaluation',
  lost: "run it again to go on from the last checkpoint; the driver's log says more (dmesg; nvidia-smi, rocm-smi)",
} as const;

const MESSAGES = {
  memory: 'the device is out of memory',
  lost: 'the device has stopped working',
} as const;

export class DeviceError extends MtcpError {
  constructor(
    readonly reason: keyof typeof HINTS,
    /** What the driver or the plugin says. */
    said: string,
    where: string,
  ) {
    super('engine', `${MESSAGES[reason]}: ${said}`, { where, hint: HINTS[reason] });
  }
}

/** Whether this process cannot use its device any more. */
export const isLost = (error: unknown): boolean => error instanceof DeviceError && error.reason === 'lost';
