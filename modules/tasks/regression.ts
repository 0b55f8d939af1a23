// Any number of values at every pixel: albedo, optical flow, heat maps, temperature. In memory float32; stored as NaN
// where nothing is known; `masked` makes that of values beside a mask. Values are taken as they are: a kind whose values change when
// the picture is mirrored, turned or zoomed is a component of its own (docs/extending.md).
import { component, markNotFinite, type Task, type TaskKind } from '../../registry/index.js';
import { scale, shareOf, warmToCool } from './machinery/colours.js';
import { meanTally } from './machinery/likelihood.js';
import { valueRange } from './machinery/values.js';

@component({
  kind: 'task',
  name: 'regression',
  summary: 'Any number of values at every pixel; floats, stored as NaN where nothing is known.',
  file: import.meta.url,
})
export class Regression implements TaskKind {
  readonly meaning = 'values';
  readonly batch = 'values';
  readonly labelChannels = ({ channels, values }: Pick<Task, 'channels' | 'values'>) => values ?? channels;
  readonly smooth = false;
  readonly outside = NaN;
  readonly decode: TaskKind['decode'] = (raw) => raw;
  readonly resampling = 'linear';
  readonly sixteen = {
    values: 'thousandths, cut to 0..65535',
    of: (value: number) => value * 1000,
  };
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'regression' },
    metric: { type: 'regression_error' },
  };

  readonly mark = markNotFinite;

  readonly range = valueRange;

  /** The first value is drawn. */
  readonly colour: TaskKind['colour'] = (data, at, range) => warmToCool(shareOf(data[at], range));

  readonly legend: TaskKind['legend'] = ({ unit = '' }, _maps, [low, high]) =>
    scale(`${low.toPrecision(3)} ${unit}`.trim(), `${high.toPrecision(3)} ${unit}`.trim(), warmToCool);

  readonly tally = (task: Task) => meanTally(this.labelChannels(task), (mean) => mean);
  readonly distance: NonNullable<TaskKind['distance']> = (own, taught) => own.sub(taught).abs().mean();
}
