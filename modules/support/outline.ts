// Boundaries of regions, as lines that are a pixel or two wide.

/**
 * Pixels whose right, lower or lower right neighbour has another value (seg2bmap of the Berkeley benchmark): the boundary,
 * half a pixel up and left of where it is.
 * @param regions [height, width]
 */
export function outline(regions: ArrayLike<number>, height: number, width: number): Uint8Array {
  const out = new Uint8Array(height * width);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const [right, down] = [x + 1 < width ? 1 : 0, y + 1 < height ? width : 0];
      const own = regions[p];
      out[p] = Number(
        own !== regions[p + right] || own !== regions[p + down] || own !== regions[p + right + down],
      );
    }
  return out;
}

/**
 * Pixels at which the Laplacian of the region numbers is not 0, as the loaders of PASCAL-Context make edges: on both
 * sides of a boundary. Where differences to the neighbours cancel out there is none, as there. The picture is mirrored
 * at its frame, without the border pixel.
 * @param regions [height, width] whole numbers
 */
export function laplacianEdges(regions: ArrayLike<number>, height: number, width: number): Uint8Array {
  const out = new Uint8Array(height * width);
  const mirrored = (at: number, length: number): number =>
    length === 1 ? 0 : at < 0 ? 1 : at >= length ? length - 2 : at;
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const sum =
        regions[y * width + mirrored(x - 1, width)] +
        regions[y * width + mirrored(x + 1, width)] +
        regions[mirrored(y - 1, height) * width + x] +
        regions[mirrored(y + 1, height) * width + x];
      out[p] = Number(sum !== 4 * regions[p]);
    }
  return out;
}

/**
 * Pixels with a neighbour above, below, left or right of another value: both sides of every boundary.
 * @param regions [height, width]
 */
export function borders(regions: ArrayLike<number>, height: number, width: number): Uint8Array {
  const out = new Uint8Array(height * width);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const own = regions[p];
      out[p] = Number(
        own !== regions[x > 0 ? p - 1 : p] ||
          own !== regions[x + 1 < width ? p + 1 : p] ||
          own !== regions[y > 0 ? p - width : p] ||
          own !== regions[y + 1 < height ? p + width : p],
      );
    }
  return out;
}
