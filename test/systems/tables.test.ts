// The tables that compare systems: every row of every profile is a network whose parts fit each other.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openExperiment } from '../../runners/config/open.js';
import { flowOf } from '../../runners/model/flow.js';

const EXPERIMENTS = join(import.meta.dirname, '../../../experiments');

describe('tables of systems', () => {
  const systems = { table1: 12, table2: 12, fair: 12, beyond: 12, 'nyud-4': 12, 'pascal-5': 13, sharing: 10 };
  for (const [name, least] of Object.entries(systems))
    it(`${name}: every row gives a prediction for each of its tasks`, async function () {
      this.timeout(60_000);
      const { trials } = openExperiment(join(EXPERIMENTS, `${name}.yaml`), {});
      const rows = new Map(trials.map((trial) => [trial.row, trial]));
      expect(rows.size).to.be.at.least(least);
      for (const [row, trial] of rows) {
        const { tasks, sections } = await flowOf(trial);
        const heads = sections.at(-1)!;
        for (const task of tasks) expect(heads.maps[task][0], `${row}: ${task}`).to.have.length(3);
        expect(heads.parameters, row).to.be.greaterThan(0);
      }
    });

  it('the published profile is valid, too', () => {
    for (const [name, least] of Object.entries(systems)) expect(full(name)).to.have.length.at.least(least);
  });
});

const full = (name: string, rows?: string[]) =>
  openExperiment(join(EXPERIMENTS, `${name}.yaml`), { profile: 'full', rows }).trials;

describe('profile full', () => {
  /** What says in the file that it starts from random weights. */
  const RANDOM = ['sharing'];
  const files = readdirSync(EXPERIMENTS)
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('pretrain-'))
    .map((file) => file.slice(0, -'.yaml'.length));

  it('no row starts from random weights without a word', () => {
    for (const name of files.filter((each) => !RANDOM.includes(each)))
      for (const { row, config } of full(name)) {
        const { backbone, rows } = config.weights;
        expect(backbone ?? Object.keys(rows).join(), `${name}, ${row}`).to.match(
          /^.*\/weights\/[\w-]+\.safetensors$|\w,\w/,
        );
      }
    for (const name of RANDOM)
      expect(readFileSync(join(EXPERIMENTS, `${name}.yaml`), 'utf8')).to.contain('random weights');
  });

  it("rows have the recipes of their authors' configurations", () => {
    // epochs, batch, largest norm of the gradient, learning rate
    const recipes: Record<string, Record<string, [number, number, number | null, number]>> = {
      table1: {
        'MTI-Net': [100, 8, null, 1e-4],
        InvPT: [303, 6, null, 2e-5],
        MLoRE: [202, 4, 10, 1e-5],
        DeMT: [404, 8, null, 1e-3],
        MTFormer: [100, 4, null, 5e-5],
        'MT-CP': [100, 2, null, 5e-5],
        'Cross-Stitch': [50, 8, null, 1e-3],
        'STL ResNet depth': [100, 8, null, 1e-4],
      },
      table2: {
        'MTI-Net': [80, 8, null, 1e-4],
        InvPT: [48, 6, null, 2e-5],
        MLoRE: [32, 4, 10, 2e-5],
        DeMT: [64, 8, null, 1e-3],
        MTFormer: [100, 4, null, 2.5e-5],
        'MT-CP': [100, 2, null, 5e-5],
        'NDDR-CNN': [20, 12, null, 5e-3],
        'STL ResNet saliency': [60, 12, null, 1e-4],
      },
      'nyud-4': {
        InvPT: [303, 6, null, 2e-5],
        ATRC: [404, 8, null, 0.01],
        TaskPrompter: [202, 4, 10, 1e-5],
      },
      'pascal-5': {
        'MTI-Net': [100, 8, null, 1e-4],
        InvPT: [48, 6, null, 2e-5],
        ATRC: [64, 8, null, 0.005],
        TaskPrompter: [32, 4, 10, 2e-5],
        MLoRE: [32, 4, 10, 2e-5],
        'MT-CP': [100, 2, null, 5e-5],
      },
      beyond: { MTMamba: [505, 8, null, 1e-4], 'MTMamba++': [404, 8, null, 2e-5] },
    };
    for (const [name, rows] of Object.entries(recipes))
      for (const { row, config } of full(name, Object.keys(rows))) {
        const { train, optimizer } = config;
        expect([train.epochs, train.batch, train.clip, optimizer.rate], `${name}, ${row}`).to.deep.equal(
          rows[row],
        );
      }
  });

  it('systems learn edges, and are as large, as their authors have it', () => {
    const edge = (name: string) =>
      Object.fromEntries(
        full(name).flatMap(({ row, config }) =>
          'edge' in config.tasks ? [[row, config.tasks.edge.loss.positive_weight]] : [],
        ),
      );
    expect(edge('nyud-4')).to.include({ 'MTI-Net': 0.95, InvPT: 0.95, ATRC: 0.8, DeMT: 0.8, MLoRE: 0.88 });
    expect(edge('pascal-5')).to.include({ InvPT: 0.95, ATRC: 0.95, DeMT: 0.95, MLoRE: 0.925 });
    const [[three], [five]] = ['table2', 'pascal-5'].map((name) => full(name, ['MLoRE']));
    const size = { channels: 452, own_rank: 72, balance: 3e-4, select: 'after_softmax' };
    for (const { config } of [three, five]) {
      expect(config.model.decoder).to.deep.include(size);
      expect(config.model.decoder!.ranks).to.deep.equal(three.config.model.decoder!.ranks);
      expect(config.model.backbone).to.deep.include({ class_token: false, grid: [24, 24] });
    }
    const [{ config: prompter }] = full('pascal-5', ['TaskPrompter']);
    expect(prompter.model.decoder).to.deep.include({ channels: 300, out: 350 });
    expect(prompter.model.backbone).to.deep.include({ windows: 1 });
    for (const { row, config } of full('nyud-4', ['ATRC', 'DeMT']))
      expect(config.augment.size, row).to.deep.equal([425, 560]);
  });
});
