// Axes whose ends are known before a plot is drawn, so that labels can be placed in it: Vega-Lite takes the domain and
// computes the same pixels.

export interface Scale {
  readonly domain: readonly [number, number];
  readonly log: boolean;
  /** Pixels from the low end. */
  at(value: number): number;
}

/**
 * @param length of the axis in pixels
 * @param padding pixels beyond the least and the largest value
 * @param log on a logarithmic axis, for values above 0
 */
export function scaleOf(values: readonly number[], length: number, padding: number, log = false): Scale {
  const to = log ? Math.log : (value: number) => value;
  const from = log ? Math.exp : (value: number) => value;
  let [low, high] = [Math.min(...values.map(to)), Math.max(...values.map(to))];
  if (high === low) {
    // A single value stands in the middle.
    const around = log ? 1 : Math.abs(high) || 1;
    [low, high] = [low - around / 2, high + around / 2];
  }
  const more = (padding / Math.max(1, length - 2 * padding)) * (high - low);
  [low, high] = [low - more, high + more];
  return {
    domain: [from(low), from(high)],
    log,
    at: (value) => ((to(value) - low) / (high - low)) * length,
  };
}

/** For the `scale` of an encoding. */
export const vegaScale = ({ domain, log }: Scale): object => ({
  type: log ? 'log' : 'linear',
  domain: [...domain],
  nice: false,
  zero: false,
});
