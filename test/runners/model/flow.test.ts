// What describes a row's network: sections, components, maps, intermediate predictions; and its picture.
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../../runners/config/open.js';
import { flowSvg } from '../../../runners/reporting/flow-svg.js';
import { flowOf } from '../../../runners/model/flow.js';

const TABLE1 = join(import.meta.dirname, '../../../../experiments/table1.yaml');
const rowOf = (row: string) => flowOf(openExperiment(TABLE1, { rows: [row] }).trials[0]);

describe('the flow of a network', () => {
  it('PAD-Net: one shared map, initial predictions, exchange, heads', async () => {
    const { image, tasks, sections } = await rowOf('PAD-Net');
    expect(image).to.deep.equal([64, 96, 3]);
    expect(tasks).to.deep.equal(['semseg', 'depth', 'normals']);
    expect(
      sections.map(({ name, types, shared, exchanges, predictions }) => [
        name,
        types,
        shared,
        exchanges,
        predictions,
      ]),
    ).to.deep.equal([
      ['backbone', ['hrnet'], true, false, 0],
      ['decoder', ['sequence', 'concat', 'initial'], false, false, 1],
      ['interaction', ['distill'], false, true, 0],
      ['heads', ['bottlenecks'], false, false, 0],
    ]);
    expect(sections[1].maps.depth).to.deep.equal([[16, 24, 32]]);
    expect(sections[3].maps.semseg).to.deep.equal([[16, 24, 40]]);
    expect(sections.reduce((sum, { parameters }) => sum + parameters, 0)).to.be.greaterThan(500_000);
  });

  it('MTI-Net predicts at four scales; cross-stitch units exchange inside the backbone', async () => {
    expect((await rowOf('MTI-Net')).sections[1].predictions).to.equal(4);
    const [backbone] = (await rowOf('Cross-Stitch')).sections;
    expect(backbone.types).to.deep.equal(['per_task', 'resnet', 'cross_stitch']);
    expect(backbone.exchanges).to.equal(true);
    expect(backbone.shared).to.equal(false);
    expect(backbone.maps.normals).to.have.length(4);
  });

  it('the picture names everything and is whole', async () => {
    const svg = flowSvg(await rowOf('PAD-Net'), 'PAD-Net <small> & "co"');
    expect(svg).to.match(/^<svg [^>]*xmlns/);
    expect(svg.trimEnd()).to.match(/<\/svg>$/);
    for (const part of [
      'hrnet',
      'distill',
      'bottlenecks',
      '16×24×32',
      'depth',
      '1 supervised prediction a task',
      'PAD-Net &#60;small&#62; &#38;',
    ])
      expect(svg).to.include(part);
  });
});
