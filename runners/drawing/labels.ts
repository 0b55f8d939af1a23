// Places labels beside points and at the ends of lines so that none is printed over another. All positions are pixels of a
// panel, y downwards. Widths of text are estimated: labels are placed before anything is drawn.

export interface Placed {
  /** Left end of the text, and its middle line. */
  x: number;
  y: number;
  /** Whether the text is so far from its point that a line should join them. */
  led: boolean;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Pixels that a text of DejaVu Sans takes, not too few. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const char of text) {
    if (/[iljftrI.,:;|!'()[\] -]/.test(char)) width += 0.4;
    else if (/[mwMW%@]/.test(char)) width += 0.98;
    else width += /[A-Z&]/.test(char) ? 0.71 : 0.635;
  }
  return width * size;
}

/** A text that is too long for a label is cut; the whole is in the table. */
export const shortened = (text: string, most = 28): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;

const LINE = 1.25;
/** How far from its point a label is tried, in steps of 0.75 lines. */
const RINGS = 30;

/**
 * Labels of points. Each stands as close to its point as those before it and the points allow, right of it if possible.
 * @param room of the panel; labels may reach `margin` beyond its right side
 */
export function besidePoints(
  points: readonly { x: number; y: number; text: string }[],
  { width, height, margin, size }: { width: number; height: number; margin: number; size: number },
): Placed[] {
  const radius = 0.45 * size;
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - radius,
    right: x + radius,
    top: y - radius,
    bottom: y + radius,
  }));
  const placed = new Array<Placed>(points.length);
  // Rightmost first: their labels have the least choice.
  const order = points.map((_, i) => i).sort((a, b) => points[b].x - points[a].x);
  for (const i of order) {
    const { x, y, text } = points[i];
    const [wide, high] = [textWidth(text, size), size * LINE];
    const boxAt = (left: number, middle: number): Box => ({
      left,
      right: left + wide,
      top: middle - high / 2,
      bottom: middle + high / 2,
    });
    let best: { box: Box; cost: number } | undefined;
    for (const [dx, dy] of offsets(wide, high, 0.75 * size)) {
      const box = boxAt(x + dx, y + dy);
      const outside =
        Math.max(0, -box.left) +
        Math.max(0, box.right - width - margin) +
        Math.max(0, -box.top) +
        Math.max(0, box.bottom - height);
      const cost =
        taken.reduce((sum, other) => sum + overlap(box, other), 0) * 10 +
        outside * 40 +
        Math.hypot(Math.max(0, box.left - x, x - box.right), dy);
      if (best === undefined || cost < best.cost) best = { box, cost };
    }
    const { box } = best!;
    taken.push(box);
    const middle = (box.top + box.bottom) / 2;
    const away = Math.hypot(
      Math.max(0, box.left - x, x - box.right),
      Math.max(0, Math.abs(middle - y) - high / 2),
    );
    placed[i] = { x: box.left, y: middle, led: away > radius + 0.6 * size };
  }
  return placed;
}

/** From the left end and the middle of a label to its point: near ones first, right before left. */
function* offsets(wide: number, high: number, gap: number): Generator<readonly [number, number]> {
  for (let ring = 0; ring < RINGS; ring++)
    for (const up of ring === 0 ? [0] : [-ring * 0.75, ring * 0.75])
      for (const dx of [gap, -wide / 2, -wide - gap, gap * (1 + ring), -wide - gap * (1 + ring)]) {
        // Above or below its point a label must be clear of it.
        if (dx === -wide / 2 && Math.abs(up) < 1) continue;
        yield [dx, up * high];
      }
}

function overlap(a: Box, b: Box): number {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return wide > 0 && high > 0 ? wide * high : 0;
}

/**
 * Labels in a column, such as at the right ends of lines: each as close to its height as the others allow, in the same
 * order (pool adjacent violators).
 * @param heights wanted, in any order
 * @param gap least distance of two labels
 * @returns heights within 0..height if there is room for all
 */
export function inColumn(heights: readonly number[], gap: number, height: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
  // A block of labels that touch: its first label is at `at`.
  const blocks: { at: number; members: number[] }[] = [];
  const clamped = (at: number, count: number) => Math.max(0, Math.min(height - (count - 1) * gap, at));
  const settle = (members: number[]) =>
    clamped(members.reduce((sum, i, k) => sum + heights[i] - k * gap, 0) / members.length, members.length);
  for (const i of order) {
    let block = { at: settle([i]), members: [i] };
    for (;;) {
      const before = blocks.at(-1);
      if (!before || before.at + before.members.length * gap <= block.at) break;
      blocks.pop();
      const members = [...before.members, ...block.members];
      block = { at: settle(members), members };
    }
    blocks.push(block);
  }
  const found = new Array<number>(heights.length);
  for (const { at, members } of blocks) members.forEach((i, k) => (found[i] = at + k * gap));
  return found;
}
