import { expect } from 'chai';
import '../../../modules/index.js';
import sharp from 'sharp';
import type { MapData } from '../../../registry/contracts/data.js';
import type { Task } from '../../../registry/contracts/tasks.js';
import { legendOf, paint } from '../../../runners/drawing/paint.js';
import { drawSheet } from '../../../runners/drawing/sheet.js';

describe('a contact sheet', () => {
  it('shows the scale of a probability from black to white, with an end', async () => {
    const task: Task = { name: 'saliency', kind: 'binary', channels: 1 };
    const map: MapData = { height: 2, width: 2, channels: 1, data: Float32Array.of(0, 0.5, 1, 0) };
    const legends = [{ title: 'saliency', legend: legendOf(task, [map], [0, 1]) }];
    const bytes = await drawSheet({
      columns: ['image', 'saliency'],
      rows: [[paint(map, task), paint(map, task)]],
      legends,
    });
    const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    // The middle of the legend's line, which is the last 22 rows.
    const at = (x: number) => data[((info.height - 13) * info.width + x) * info.channels];
    const [start, length] = [96 + 44, 160];
    expect(at(start + 4)).to.equal(0);
    expect(at(start + length / 2)).to.be.within(110, 145);
    expect(at(start + length - 4)).to.equal(255);
    // The outline parts the white end from the page.
    expect(Math.min(at(start + length - 1), at(start + length))).to.be.below(225);
    expect(at(start + length + 3)).to.equal(255);
  });
});
