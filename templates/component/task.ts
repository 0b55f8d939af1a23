// my-block: a kind of task. Here a direction in the picture at every pixel, such as optical flow: two values in pixels,
// whose signs and lengths change when the picture is mirrored, turned or zoomed.
// This file also runs in the threads that load data, so it imports no TensorFlow.js.
import { component, markNotFinite, type TaskKind } from 'mtcp/registry';

@component({
  kind: 'task',
  name: 'my-block',
  summary: 'A vector in the picture at every pixel; two floats, stored as NaN where nothing is known.',
})
export class MyBlock implements TaskKind {
  /** What predictions are: exported models and raw files say so. */
  readonly meaning = 'vector in pixels: x right, y down';
  readonly batch = 'values';
  readonly labelChannels = () => 2;

  // The geometry of labels. `smooth`: pipelines may interpolate them; `outside`: what stands for unknown in files.
  readonly smooth = false;
  readonly outside = NaN;
  readonly move: NonNullable<TaskKind['move']> = (data, { flip, degrees, scale }) => {
    const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
    const out = new Float32Array(data);
    for (let i = 0; i < out.length; i += 2) {
      const [x, y] = [flip ? -data[i] : data[i], data[i + 1]];
      out[i] = scale * (x * cos + y * sin);
      out[i + 1] = scale * (y * cos - x * sin);
    }
    return out;
  };
  /** IGNORE in both channels of unknown pixels: what losses and metrics read. */
  readonly mark = markNotFinite;

  // Predictions.
  readonly decode: TaskKind['decode'] = (raw) => raw;
  readonly resampling = 'linear';
  readonly sixteen = { values: 'pixels, 32768 for 0, 64 a pixel', of: (value: number) => 32768 + 64 * value };

  // Pictures: right is red, down is green.
  readonly colour: TaskKind['colour'] = (data, at) => [128 + 8 * data[at], 128 + 8 * data[at + 1], 128];
  readonly legend: TaskKind['legend'] = () => ({
    kind: 'swatches',
    entries: [
      { name: 'right', colour: '#ff8080' },
      { name: 'down', colour: '#80ff80' },
    ],
  });

  /** The constant predictor says: nothing moves. */
  readonly tally: TaskKind['tally'] = () => ({ add: () => {}, constant: () => [0, 0] });

  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'regression' },
    metric: { type: 'regression_error', unit: 'px' },
  };
}
