// Surface normals: unit vectors in camera coordinates, x right, y down, z forward, so what faces the camera has z < 0.
// In memory three float32; stored as the zero vector where nothing is known.
import {
  component,
  IGNORE,
  type LabelMap,
  type MapData,
  type Motion,
  type TaskKind,
} from '../../registry/index.js';
import type { Tensor, Tensor4D } from '../../registry/tf.js';
import { css } from './machinery/colours.js';
import { meanTally } from './machinery/likelihood.js';

/** Vectors may be this much longer or shorter than 1: those in bytes are. */
const UNIT_TOLERANCE = 0.05;

const SHOWN = [
  ['towards the camera', [0, 0, -1]],
  ['left', [-1, 0, 0]],
  ['right', [1, 0, 0]],
  ['up', [0, -1, 0]],
  ['down', [0, 1, 0]],
] as const;

@component({
  kind: 'task',
  name: 'normals',
  summary: 'Unit vectors: x right, y down, z forward; three floats, stored as zeros where nothing is known.',
  file: import.meta.url,
})
export class Normals implements TaskKind {
  readonly meaning = 'unit vector: x right, y down, z forward';
  readonly batch = 'values';
  readonly labelChannels = () => 3;
  readonly smooth = true;
  readonly outside = 0;
  readonly resampling = 'linear';
  /** [-1, 1] to [0, 255] */
  readonly bytes = { shift: 1, scale: 127.5 };
  readonly sixteen = {
    values: 'unit vector, 0..65535 for -1..1',
    of: (value: number) => (value + 1) * 32767.5,
  };
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'normals' },
    metric: { type: 'angular_error' },
  };
  readonly regions = { type: 'normal_directions' };

  readonly decode: TaskKind['decode'] = (raw) => raw.div(raw.square().sum(3, true).sqrt().add(1e-12));

  /** Mirrored and turned with the picture. */
  move(
    given: MapData['data'],
    { flip, degrees }: Motion,
    _channels?: number,
    data: MapData['data'] = new Float32Array(given.length),
  ): MapData['data'] {
    if (!flip && degrees === 0) return given;
    const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
    const sign = flip ? -1 : 1;
    for (let i = 0; i < data.length; i += 3) {
      const x = sign * given[i];
      const y = given[i + 1];
      data[i] = x * cos + y * sin;
      data[i + 1] = y * cos - x * sin;
      data[i + 2] = given[i + 2];
    }
    return data;
  }

  /** Divides by (length + float32 epsilon), so that the zero vector stays zero. */
  settle(
    normals: MapData['data'],
    data: MapData['data'] = new Float32Array(normals.length),
  ): MapData['data'] {
    for (let i = 0; i < data.length; i += 3) {
      const x = normals[i];
      const y = normals[i + 1];
      const z = normals[i + 2];
      const scale = 1 / (Math.sqrt(x * x + y * y + z * z) + 2 ** -23);
      data[i] = x * scale;
      data[i + 1] = y * scale;
      data[i + 2] = z * scale;
    }
    return data;
  }

  /** Unknown: the zero vector, or not finite. */
  mark(
    normals: MapData['data'],
    _channels?: number,
    out: MapData['data'] = new Float32Array(normals.length),
  ): MapData['data'] {
    // Few pixels are unknown: only these are written.
    if (out !== normals) out.set(normals);
    for (let i = 0; i < out.length; i += 3) {
      const x = out[i];
      const y = out[i + 1];
      const z = out[i + 2];
      const squared = x * x + y * y + z * z;
      if (!(squared > 0 && squared < Infinity)) out[i] = out[i + 1] = out[i + 2] = IGNORE;
    }
    return out;
  }

  fault({ data }: LabelMap): { at: number; what: string } | undefined {
    for (let at = 0; at < data.length; at += 3) {
      const length = Math.sqrt(data[at] ** 2 + data[at + 1] ** 2 + data[at + 2] ** 2);
      if (length === 0 || Math.abs(length - 1) <= UNIT_TOLERANCE) continue;
      const what = `the normal has length ${Number(length.toPrecision(4))}; normals have length 1, or 0 for unknown`;
      return { at, what };
    }
    return undefined;
  }

  readonly colour: TaskKind['colour'] = (data, at) => colourOf(data[at], data[at + 1], data[at + 2]);
  readonly legend: TaskKind['legend'] = () => ({
    kind: 'swatches',
    entries: SHOWN.map(([name, [x, y, z]]) => ({ name, colour: css(colourOf(x, y, z)) })),
  });

  /** The mean direction, unit length. */
  readonly tally = () =>
    meanTally(3, (mean) => {
      const length = Math.hypot(...mean) || 1;
      return mean.map((component) => component / length);
    });

  /** 1 - |a - b|^2 / 2 of unit vectors */
  readonly likeness: NonNullable<TaskKind['likeness']> = (a, b) => a.mul(b).sum(-1).relu();

  /** 1 - cosine of the angle between them. */
  readonly distance: NonNullable<TaskKind['distance']> = (own, taught) =>
    unit(own).mul(unit(taught)).sum(3).neg().add(1).mean();
}

/** What faces the camera is light blue, what faces up green. */
const colourOf = (x: number, y: number, z: number) =>
  [127.5 * (x + 1), 127.5 * (1 - y), 127.5 * (1 - z)] as const;

const unit = (vectors: Tensor4D): Tensor => vectors.div(vectors.square().sum(3, true).add(1e-12).sqrt());
