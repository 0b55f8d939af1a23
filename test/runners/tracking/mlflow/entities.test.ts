// Numbers of a table, and what people group runs by, as MLflow gets them.
import { expect } from 'chai';
import { aboutParams, tableMetrics } from '../../../../runners/tracking/mlflow/entities.js';

describe('entities of MLflow', () => {
  it('the run of a table has the best of each metric, and the means of each row', () => {
    const metrics = tableMetrics(
      {
        rows: [
          { row: 'A', metrics: { 'depth.RMSE': 1, 'semseg.mIoU': 30 } },
          { row: 'A', metrics: { 'depth.RMSE': 2, 'semseg.mIoU': 40 } },
          { row: 'B/C', metrics: { 'depth.RMSE': 1.2, 'semseg.mIoU': null } },
        ],
        delta_m: { A: -3, 'B/C': 1 },
        better: { 'depth.RMSE': 'lower', 'semseg.mIoU': 'higher' },
      },
      5,
    );
    expect(Object.fromEntries(metrics.map(({ key, value }) => [key, value]))).to.deep.equal({
      'best/depth/RMSE': 1.2,
      'best/semseg/mIoU': 35,
      'best/delta_m': 1,
      'table/A/depth/RMSE': 1.5,
      'table/A/semseg/mIoU': 35,
      'table/A/delta_m': -3,
      'table/B-C/depth/RMSE': 1.2,
      'table/B-C/delta_m': 1,
    });
    for (const metric of metrics) expect(metric).to.include({ step: 0, timestamp: 5 });
  });

  it('a table without results has no metrics', () => {
    const empty = {
      rows: [{ row: 'A', metrics: {} }],
      delta_m: {},
      better: { 'depth.RMSE': 'lower' as const },
    };
    expect(tableMetrics(empty, 0)).to.deep.equal([]);
  });

  it('row, seed, scheme and data set are params', () => {
    const started = {
      event: 'started' as const,
      row: 'A, rate=0.1',
      seed: 3,
      hash: 'h',
      data: { caption: '', digest: '', notes: [] },
    };
    const params = aboutParams(started, { scheme: { type: 'lps' }, data: { type: 'nyud-v2' } });
    expect(Object.fromEntries(params.map(({ key, value }) => [key, value]))).to.deep.equal({
      row: 'A, rate=0.1',
      seed: '3',
      scheme: 'lps',
      dataset: 'nyud-v2',
    });
  });
});
