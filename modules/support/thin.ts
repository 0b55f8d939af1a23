// Thinning of masks to lines of one pixel by Guo and Hall's parallel algorithm in two sub-iterations (Comm. ACM 32, 1989,
// in the form of Lam, Lee and Suen 1992), as MATLAB's bwmorph('thin', Inf) and scikit-image's thin have it.

/** Neighbours of a pixel counter-clockwise from the right, a bit each: right 1, right above 2, above 4, ... */
const AROUND: readonly (readonly [down: number, right: number])[] = [
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
  [1, 0],
  [1, 1],
];

/** Of every neighbourhood whether its pixel goes in the first (bit 1) and in the second sub-iteration (bit 2). */
const GOES = Uint8Array.from({ length: 256 }, (_, neighbours) => {
  const b = AROUND.map((_direction, i) => ((neighbours >> i) & 1) === 1);
  const crossings = [0, 2, 4, 6].filter((i) => !b[i] && (b[i + 1] || b[(i + 2) % 8])).length;
  if (crossings !== 1) return 0;
  const pairs = [1, 3, 5, 7];
  const before = pairs.filter((k) => b[k] || b[k - 1]).length;
  const after = pairs.filter((k) => b[k] || b[(k + 1) % 8]).length;
  const least = Math.min(before, after);
  if (least !== 2 && least !== 3) return 0;
  const first = !((b[1] || b[2] || !b[7]) && b[0]);
  const second = !((b[5] || b[6] || !b[3]) && b[4]);
  return (first ? 1 : 0) | (second ? 2 : 0);
});

/**
 * @param mask [height, width], not 0 where set; outside of it nothing is set
 * @returns another mask of 0 and 1
 */
export function thin(mask: ArrayLike<number>, height: number, width: number): Uint8Array {
  // A frame of zeros around the picture saves looking for its border.
  const stride = width + 2;
  const framed = new Uint8Array(stride * (height + 2));
  let left = new Int32Array(height * width);
  let count = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (mask[y * width + x]) {
        const at = (y + 1) * stride + x + 1;
        framed[at] = 1;
        left[count++] = at;
      }
  const [o0, o1, o2, o3, o4, o5, o6, o7] = AROUND.map(([down, right]) => down * stride + right);
  const going = new Int32Array(count);
  for (let before = -1; before !== count;) {
    before = count;
    for (const bit of [1, 2]) {
      let [kept, gone] = [0, 0];
      for (let i = 0; i < count; i++) {
        const at = left[i];
        const neighbours =
          framed[at + o0] |
          (framed[at + o1] << 1) |
          (framed[at + o2] << 2) |
          (framed[at + o3] << 3) |
          (framed[at + o4] << 4) |
          (framed[at + o5] << 5) |
          (framed[at + o6] << 6) |
          (framed[at + o7] << 7);
        if (GOES[neighbours] & bit) going[gone++] = at;
        else left[kept++] = at;
      }
      // All pixels of a sub-iteration are looked at before one is removed.
      for (let i = 0; i < gone; i++) framed[going[i]] = 0;
      count = kept;
    }
  }
  const out = new Uint8Array(height * width);
  left = left.subarray(0, count);
  for (const at of left) out[(Math.floor(at / stride) - 1) * width + (at % stride) - 1] = 1;
  return out;
}
