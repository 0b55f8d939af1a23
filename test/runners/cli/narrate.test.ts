// What a person reads while a run goes on.
import { expect } from 'chai';
import { narrator } from '../../../runners/cli/narrate.js';
import { Progress } from '../../../runners/cli/progress.js';

describe('the narrator', () => {
  it('prints validation metrics as they come, without those of single classes, and what is left of the table', () => {
    let text = '';
    const stream = { isTTY: false, write: (more: string) => ((text += more), true) };
    const narrate = narrator(new Progress(stream as never, false));
    const trial = { row: 'a', seed: 0 };
    narrate({ event: 'trial', ...trial, index: 1, of: 3, state: 'queued', folder: 'f' });
    const metrics = { 'depth.RMSE': 0.75, 'semseg.IoU.floor': 3, 'normals.<11.25': 12.5 };
    narrate({ event: 'evaluated', ...trial, epoch: 1, metrics, seconds: 1 });
    narrate({ event: 'finished', ...trial, epoch: 1, seconds: 9 });
    expect(text).to.match(/validation after epoch 1: depth\.RMSE 0\.75\d*, normals\.<11\.25 12\.50*\n/);
    expect(text).not.to.contain('floor');
    expect(text).to.match(/done in 9.* of training; 2 more of the table, about .* left/);
  });
});
