// The lines that a run prints.
import { expect } from 'chai';
import { narrator } from '../../../runners/cli/narrate.js';
import { Progress } from '../../../runners/cli/progress.js';

describe('the narrator', () => {
  it('prints the validation metrics that tables show, and what is left of the table', () => {
    let text = '';
    const stream = { isTTY: false, write: (more: string) => ((text += more), true) };
    const narrate = narrator(new Progress(stream as never, false));
    const trial = { row: 'a', seed: 0 };
    const about = { name: 'x', title: 'T', profile: null, trials: [] };
    narrate({ event: 'experiment', ...about, primary: ['depth.RMSE', 'normals.mErr'] });
    narrate({ event: 'trial', ...trial, index: 1, of: 3, state: 'queued', folder: 'f' });
    const metrics = { 'depth.RMSE': 0.75, 'semseg.IoU.floor': 3, 'normals.mErr': 12.5 };
    narrate({ event: 'evaluated', ...trial, epoch: 1, metrics, seconds: 1 });
    narrate({ event: 'finished', ...trial, epoch: 1, seconds: 9 });
    expect(text).to.match(/validation after epoch 1: depth\.RMSE 0\.75\d*, normals\.mErr 12\.50*\n/);
    expect(text).not.to.contain('floor');
    expect(text).to.match(/done in 9.* of training; 2 more of the table, about .* left/);
  });

  it('prints all but those of single classes where it does not know of tables, as in a job', () => {
    let text = '';
    const stream = { isTTY: false, write: (more: string) => ((text += more), true) };
    const narrate = narrator(new Progress(stream as never, false));
    const metrics = { 'depth.RMSE': 0.75, 'semseg.IoU.floor': 3, 'normals.<11.25': 12.5 };
    narrate({ event: 'evaluated', row: 'a', seed: 0, epoch: 1, metrics, seconds: 1 });
    expect(text).to.match(/validation after epoch 1: depth\.RMSE 0\.75\d*, normals\.<11\.25 12\.50*\n/);
  });

  it('says what is left of the table when several trials train at once', () => {
    let text = '';
    const stream = { isTTY: false, write: (more: string) => ((text += more), true) };
    const narrate = narrator(new Progress(stream as never, false), { parallel: true });
    const states = ['done', 'queued', 'queued', 'queued', 'queued'] as const;
    const trials = states.map((state, seed) => ({ row: 'a', seed, state }));
    narrate({ event: 'experiment', title: 'T', profile: null, primary: [], trials } as never);
    const finished = (seed: number) => narrate({ event: 'finished', row: 'a', seed, epoch: 1, seconds: 9 });
    finished(1);
    expect(text).to.match(/a, seed 1: done in 9.* of training; 3 more of the table, about .* left\n/);
    narrate({ event: 'failed', row: 'a', seed: 2, message: 'no' } as never);
    finished(3);
    expect(text).to.match(/seed 3: done.*; 1 more of the table, about/);
    finished(4);
    expect(text).to.match(/seed 4: done in \S+ s of training\n$/);
  });
});
