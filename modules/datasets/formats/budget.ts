// Limits on the memory that a file may ask for, checked before it is decoded. A few bytes of a compressed format can
// expand to gigabytes; no image or label of a data set comes near these limits.

/** Pixels of an image or a label map. */
export const MOST_PIXELS = 100e6;

/** Bytes of a file that is read as a whole. */
export const MOST_BYTES = 2 ** 30;

/** Bytes that a compressed file may grow to. */
export const MOST_INFLATED = 2 ** 28;
