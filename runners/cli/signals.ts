// Signals during training. The first SIGINT, SIGTERM or SIGHUP asks the command to stop after the current step, with
// a checkpoint; the next one ends it at once. SIGHUP is included because closing a terminal should not lose the
// training since the last checkpoint.
export const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ended after a checkpoint: EX_TEMPFAIL, so that a wrapper may start the command again. */
export const STOPPED = 75;

/** Milliseconds within which a second signal is the first one again: npx passes on the Ctrl-C that a terminal sends to both. */
const TWICE = 500;

export interface StopSignals {
  /** Whether it was asked to stop. */
  requested(): boolean;
  /** Takes no signals any more. */
  end(): void;
}

/**
 * @param tell called at the first signal
 * @param insist whether a second signal ends the process
 */
export function takeStopSignals(
  tell: (signal: NodeJS.Signals) => void,
  { insist = true }: { insist?: boolean } = {},
): StopSignals {
  let first: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (first === undefined) {
      first = performance.now();
      tell(signal);
    } else if (insist && performance.now() - first > TWICE)
      process.exit(128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal as (typeof STOPPING)[number]]);
  };
  for (const signal of STOPPING) process.on(signal, onSignal);
  return {
    requested: () => first !== undefined,
    end: () => STOPPING.forEach((signal) => process.off(signal, onSignal)),
  };
}
