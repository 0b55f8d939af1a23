// The rows of a PNG that is not interlaced, unfiltered. An encoder subtracts from each byte a guess: the byte of the pixel
// to the left (a), the byte above (b), their mean, or of a, b and the byte above a (c) the one nearest to a + b - c. The
// first byte of a row says which; outside of the image all are 0. https://www.w3.org/TR/png-3/#9Filters

const [NONE, LEFT, ABOVE, MEAN, PAETH] = [0, 1, 2, 3, 4];

/**
 * @param rows for each row its filter and its `length` bytes
 * @param pixel bytes of a pixel, 1 if it has fewer bits
 * @returns [height, length] bytes, or what is wrong
 */
export function unfilter(
  rows: Uint8Array,
  height: number,
  length: number,
  pixel: number,
): Uint8Array | string {
  const out = new Uint8Array(height * length);
  let above = new Uint8Array(length);
  for (let y = 0; y < height; y++) {
    const from = y * (length + 1);
    const filter = rows[from];
    if (filter > PAETH) return `its row ${y} has the unknown filter ${filter}`;
    const row = out.subarray(y * length, (y + 1) * length);
    row.set(rows.subarray(from + 1, from + 1 + length));
    if (filter !== NONE) FILTERS[filter](row, above, pixel);
    above = row;
  }
  return out;
}

type Undo = (row: Uint8Array, above: Uint8Array, pixel: number) => void;

const FILTERS: Readonly<Record<number, Undo>> = {
  [LEFT]: (row, _, pixel) => {
    for (let i = pixel; i < row.length; i++) row[i] += row[i - pixel];
  },
  [ABOVE]: (row, above) => {
    for (let i = 0; i < row.length; i++) row[i] += above[i];
  },
  [MEAN]: (row, above, pixel) => {
    for (let i = 0; i < pixel; i++) row[i] += above[i] >> 1;
    for (let i = pixel; i < row.length; i++) row[i] += (row[i - pixel] + above[i]) >> 1;
  },
  [PAETH]: (row, above, pixel) => {
    // Without a left neighbour the byte above is the nearest.
    for (let i = 0; i < pixel; i++) row[i] += above[i];
    for (let i = pixel; i < row.length; i++) {
      const [a, b, c] = [row[i - pixel], above[i], above[i - pixel]];
      const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
      row[i] += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    }
  },
};
