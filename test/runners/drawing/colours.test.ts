// Colours of classes and of rows are distinguishable.
import { expect } from 'chai';
import { classColour, labOf } from '../../../modules/tasks/machinery/colours.js';
import type { Colour } from '../../../registry/index.js';
import { COLOURS } from '../../../runners/drawing/theme.js';

function closest(colours: readonly Colour[]): number {
  let least = Infinity;
  for (const [i, a] of colours.map(labOf).entries())
    for (const b of colours.slice(0, i).map(labOf))
      least = Math.min(least, Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  return least;
}

const rgb = (hex: string): Colour => {
  const value = parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
};

describe('colours', () => {
  it('of any two of 64 classes differ, as seen', () => {
    // A difference of about 2.3 can just be seen side by side.
    expect(closest(Array.from({ length: 41 }, (_, i) => classColour(i)))).to.be.above(20);
    expect(closest(Array.from({ length: 64 }, (_, i) => classColour(i)))).to.be.above(14);
  });

  it('of sixteen rows differ, as seen', () => {
    expect(COLOURS.length).to.be.at.least(16);
    expect(closest(COLOURS.map(rgb))).to.be.above(12);
  });
});
