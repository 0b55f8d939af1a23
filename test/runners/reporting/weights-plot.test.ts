// The picture of Figure 6: its numbers, and that it can be drawn.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { draw } from '../../../runners/drawing/draw.js';
import { paces, weightsPlot, type WeightCourse } from '../../../runners/reporting/plots/weights.js';

const course = (row: string, slow: number, seed = 0): WeightCourse => ({
  row,
  seed,
  epochs: [
    { epoch: 1, weights: { semseg: 1, depth: 1 }, projected: { semseg: 3, depth: 1 } },
    { epoch: 2, weights: { semseg: 1, depth: 1 }, projected: { semseg: 3, depth: 0.5 } },
    { epoch: 3, weights: { semseg: slow, depth: 2 - slow }, projected: { semseg: 2, depth: 0 } },
  ],
});

describe('plot of loss weights', () => {
  it("shows each task's share of the loss against the epoch before", () => {
    // Shares 3/4 and 1/4, then 6/7 and 1/7, then 1 and 0.
    const expected = [
      ['semseg', 2, 6 / 7 / (3 / 4)],
      ['depth', 2, 1 / 7 / (1 / 4)],
      ['semseg', 3, 7 / 6],
      ['depth', 3, 0],
    ] as const;
    const found = paces(course('LPS', 1.1).epochs);
    expect(found.length).to.equal(expected.length);
    for (const [task, epoch, value] of expected)
      expect(found.find((pace) => pace.task === task && pace.epoch === epoch)!.value).to.be.closeTo(
        value,
        1e-12,
      );
  });

  it('is drawn for the rows whose weights moved, as SVG and PNG', async () => {
    const still = { ...course('equal', 1), row: 'equal' };
    const plot = weightsPlot([
      course('spread 1', 1.1),
      course('spread 2.5', 1.25),
      course('spread 2.5', 1.3, 1),
      still,
    ])!;
    expect(plot.title).to.contain('seeds 0, 1');
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-plot-'));
    await draw(plot, join(folder, plot.name));
    const svg = readFileSync(join(folder, 'weights.svg'), 'utf8');
    for (const text of ['spread 1', 'spread 2.5', 'semseg', 'depth', 'loss weight'])
      expect(svg).to.include(text);
    expect(svg).not.to.include('equal');
    expect(existsSync(join(folder, 'weights.png'))).to.equal(true);
    expect(weightsPlot([still])).to.equal(undefined);
  });
});
