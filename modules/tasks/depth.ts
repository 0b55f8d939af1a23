// Distance along the optical axis, in metres. In memory one float32; stored as 0 where nothing is known.
import {
  component,
  IGNORE,
  type MapData,
  type Motion,
  type Range,
  type TaskKind,
} from '../../registry/index.js';
import { scale, shareOf, warmToCool } from './machinery/colours.js';
import { meanTally } from './machinery/likelihood.js';

@component({
  kind: 'task',
  name: 'depth',
  summary: 'Metres along the optical axis; one float, stored as 0 where nothing is known.',
  file: import.meta.url,
})
export class Depth implements TaskKind {
  readonly meaning = 'metres along the optical axis';
  readonly batch = 'values';
  readonly labelChannels = () => 1;
  /** A value between a near and a far surface is that of neither. */
  readonly smooth = false;
  readonly outside = 0;
  readonly decode: TaskKind['decode'] = (raw) => raw;
  readonly resampling = 'linear';
  readonly sixteen = { values: 'millimetres', of: (value: number) => value * 1000 };
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'l1_depth' },
    metric: { type: 'rmse' },
  };
  readonly regions = { type: 'depth_bins' };

  /** What comes nearer by a zoom is as much less deep. */
  move(
    data: MapData['data'],
    { scale: factor }: Motion,
    _channels?: number,
    into?: MapData['data'],
  ): MapData['data'] {
    if (factor === 1) return data;
    const out = into ?? new Float32Array(data.length);
    for (let i = 0; i < out.length; i++) out[i] = data[i] / factor;
    return out;
  }

  /** Unknown: not a positive number. */
  mark(
    data: MapData['data'],
    _channels?: number,
    out: MapData['data'] = new Float32Array(data.length),
  ): MapData['data'] {
    // Few pixels are unknown: only these are written.
    if (out !== data) out.set(data);
    for (let i = 0; i < out.length; i++) if (!(out[i] > 0 && out[i] < Infinity)) out[i] = IGNORE;
    return out;
  }

  readonly fault: NonNullable<TaskKind['fault']> = ({ data }) => {
    const at = data.findIndex((metres: number) => !(metres >= 0 && metres < Infinity));
    return at < 0 ? undefined : { at, what: `the depth is ${data[at]}; depths are metres, 0 for unknown` };
  };

  /** Of the known positive values. */
  range(maps: readonly MapData[]): Range {
    let [low, high] = [Infinity, -Infinity];
    for (const { data } of maps)
      for (const value of data) {
        if (value === IGNORE || value <= 0) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    return high > low ? [low, high] : [0, 1];
  }

  readonly colour: TaskKind['colour'] = (data, at, range) => warmToCool(shareOf(data[at], range));
  readonly legend: TaskKind['legend'] = (_task, _maps, [low, high]) =>
    scale(`${low.toFixed(1)} m`, `${high.toFixed(1)} m`, warmToCool);

  /** The mean. */
  readonly tally = () => meanTally(1, (mean) => mean);

  /** 1 - |a - b| / max(a, b) */
  readonly likeness: NonNullable<TaskKind['likeness']> = (a, b) =>
    a.minimum(b).div(a.maximum(b).maximum(1e-6)).squeeze([-1]);

  readonly distance: NonNullable<TaskKind['distance']> = (own, taught) => own.sub(taught).abs().mean();
}
