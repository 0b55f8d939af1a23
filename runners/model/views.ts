// Test-time augmentation as an experiment asks for it: over which views of an image predictions are averaged. How that is
// done is training/test-time.ts; reports ask only whether.

export interface TestTime {
  /** Also mirrored. */
  readonly flip: boolean;
  /** Factors on the size of the network's input. */
  readonly scales: readonly number[];
}

/** Each image as it is, once. */
export const ONCE: TestTime = { flip: false, scales: [1] };

export const isOnce = ({ flip, scales }: TestTime): boolean =>
  !flip && scales.length === 1 && scales[0] === 1;
