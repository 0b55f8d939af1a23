// Adam for the few numbers that a scheme learns, equal to torch.optim.Adam at every step.
export interface AdamState {
  step: number;
  first: number[];
  second: number[];
}

const [BETA1, BETA2] = [0.9, 0.999];
const EPSILON = 1e-8;

export const newAdam = (count: number): AdamState => ({
  step: 0,
  first: Array<number>(count).fill(0),
  second: Array<number>(count).fill(0),
});

/**
 * Moves `values` in place.
 * @param gradients undefined leaves a value and its moments as they are
 * @param decay L2 regularisation, added to the gradient
 */
export function adamStep(
  state: AdamState,
  values: number[],
  gradients: readonly (number | undefined)[],
  rate: number,
  decay = 0,
): void {
  state.step++;
  gradients.forEach((gradient, i) => {
    if (gradient === undefined) return;
    const g = gradient + decay * values[i];
    state.first[i] = BETA1 * state.first[i] + (1 - BETA1) * g;
    state.second[i] = BETA2 * state.second[i] + (1 - BETA2) * g * g;
    const first = state.first[i] / (1 - BETA1 ** state.step);
    const second = state.second[i] / (1 - BETA2 ** state.step);
    values[i] -= (rate * first) / (Math.sqrt(second) + EPSILON);
  });
}

/** K softmax(x) with K = `total`. */
export function softmax(x: readonly number[], total = 1): number[] {
  const largest = Math.max(...x);
  const e = x.map((value) => Math.exp(value - largest));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => (total * value) / sum);
}
