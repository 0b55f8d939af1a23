// The picture of gains against costs: which rows and panels there are, and that it can be drawn.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Group } from '../../../runners/reporting/conditions.js';
import type { MeasuredRow } from '../../../runners/reporting/measure.js';
import { costPlot } from '../../../runners/reporting/plots/cost.js';
import { textWidth } from '../../../runners/drawing/labels.js';
import { draw } from '../../../runners/drawing/draw.js';
import { reportExperiment } from '../../../runners/app/report.js';
import { finishedExperiment, writeResults } from '../../support/results.js';

const GROUP: Group = {
  letter: 'A',
  rows: [],
  scoring: '',
  conditions: {
    data: 'rooms',
    size: '',
    epochs: 1,
    pipeline: 'sv',
    evaluation: 'sv',
    views: '',
    engine: 'onnx',
    metrics: '',
    notes: [],
  },
};

const row = (name: string, delta: number | undefined, rest: Partial<MeasuredRow> = {}): MeasuredRow => ({
  name,
  states: ['done'],
  group: GROUP,
  done: [],
  scores: new Map(),
  delta,
  ...rest,
});

interface Panel {
  data: { values: Record<string, number | string>[] };
  layer: { mark: { type: string }; encoding: { x?: { scale: { type: string } } } }[];
}

describe('plot of gains against costs', () => {
  const cost = { parameters: 2e6, flops: 3e9, secondsPerStep: 0.2 };

  it('has a panel for every cost that all rows know, and the rows with a delta-m', async () => {
    const plot = costPlot([
      row('MTL', -1.5, { ...cost, deltaDeviation: 0.5 }),
      row('MTI-Net', 2.5, { parameters: 5e7, flops: 9e9, secondsPerStep: 0.5 }),
      row('STL depth', undefined, cost),
    ])!;
    const { concat } = plot.spec as unknown as { concat: Panel[] };
    const [value] = concat[0].data.values;
    expect(value).to.include({ row: 'MTL', delta: -1.5, low: -2, high: -1, parameters: 2e6 });
    expect(concat[2].data.values[0]).to.include({ step: 200 });
    expect(plot.marks!.get(value.about as string)).to.deep.equal({
      row: 'MTL',
      text: 'MTL: delta-m -1.50 %, 2.00 M parameters',
    });
    // 2 million and 50 million do not share a linear axis; 3 and 9 do.
    const types = concat.map(({ layer }) => layer.find(({ mark }) => mark.type === 'point')!);
    expect(types.map(({ encoding }) => encoding.x!.scale.type)).to.deep.equal(['log', 'linear', 'linear']);
    const folder = mkdtempSync(join(tmpdir(), 'mtcp-plot-'));
    await draw(plot, join(folder, plot.name));
    const svg = readFileSync(join(folder, 'cost.svg'), 'utf8');
    for (const text of ['MTL', 'MTI-Net', 'parameters', 'FLOPs', 'training step, ms', 'delta-m %'])
      expect(svg).to.include(text);
    expect(svg).not.to.include('STL depth');
  });

  it('prints no label over another, where forty rows are close', () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      row(`Row number ${i}`, 1 + i / 40, { parameters: 1e6 + 1e3 * i, flops: 1e9, secondsPerStep: 1 }),
    );
    const { concat } = costPlot(rows)!.spec as unknown as { concat: Panel[] };
    // FLOPs and time of a step are the same in all rows.
    expect(concat).to.have.length(1);
    for (const { data } of concat) {
      const boxes = data.values.map(({ labelX, labelY, label }) => {
        const [x, y] = [Number(labelX), Number(labelY)];
        return { x, y, right: x + textWidth(String(label), 10.5) };
      });
      for (const [i, a] of boxes.entries())
        for (const b of boxes.slice(0, i))
          expect(Math.abs(a.y - b.y) >= 10.5 || a.right <= b.x || b.right <= a.x, 'labels overlap').to.equal(
            true,
          );
    }
  });

  it('is left out where there is nothing to compare', () => {
    expect(costPlot([row('MTL', 1, cost), row('STL depth', undefined, cost)])).to.equal(undefined);
    expect(costPlot([row('MTL', 1), row('MTI-Net', 2)])).to.equal(undefined);
  });

  it('is part of a report, with deviations over seeds', async () => {
    const experiment = finishedExperiment();
    await writeResults(experiment);
    const { markdown, plots, measured } = reportExperiment(experiment.file, {
      runs: experiment.runs,
      profile: 'smoke',
    });
    expect(plots.map(({ name }) => name)).to.include('cost');
    expect(markdown).to.contain('![delta-m against cost; bars: standard deviation over seeds](cost.svg)');
    // 0.5, 0.52 and 0.48 against 0.6: gains of 16.67, 13.33 and 20 percent.
    expect(measured[0].deltaDeviation).to.be.closeTo(10 / 3, 1e-9);
  });
});
