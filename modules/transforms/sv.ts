// The input pipeline of SV (Vandenhende's Multi-Task-Learning-PyTorch), which MTFormer and MT-CP share:
// flip, zoom and rotate about the centre on a canvas of the same size, resize to a fixed size, mark unknown
// labels, normalise the image. What the warp brings in from outside is black, and unknown to the labels.
// Values are carried through as the file gave them; only the last step turns unknown labels into IGNORE.
import {
  component,
  defineOptions,
  IGNORE,
  kindOf,
  options,
  type LabelMap,
  type MapData,
  type OptionsOf,
  type RandomStream,
  type Sample,
  type Transform,
} from '../../registry/index.js';
import { markInvalid } from './machinery/ignore.js';
import { mapValues, NORMALISED, normalisePixels } from './machinery/image.js';
import { invertAffine, rotationMatrix, type Affine } from '../support/raster/positions.js';
import { asBytes, ResampledRows, StoredRows, type Rows } from '../support/raster/rows.js';
import { resizeTaps } from '../support/raster/taps.js';
import { workspace } from '../support/raster/workspace.js';
import { cubicRows, flipHorizontally, resize, warpAffine, type Interpolation } from '../support/warp.js';

const schema = defineOptions({
  flip: {
    description: 'mirrors every second training image; off for data where left and right mean something',
    type: 'boolean',
    default: true,
  },
  size: {
    description: 'height and width of what comes out; the aspect ratio is not kept',
    type: 'array',
    items: { type: 'integer', minimum: 1, maximum: 8192 },
    minItems: 2,
    maxItems: 2,
    default: [480, 640],
  },
  scales: {
    description: 'zoom factors: a list to choose from, or a range',
    anyOf: [
      { type: 'array', items: { type: 'number', exclusiveMinimum: 0 }, minItems: 1 },
      {
        type: 'object',
        additionalProperties: false,
        properties: {
          min: { type: 'number', exclusiveMinimum: 0 },
          max: { type: 'number', exclusiveMinimum: 0 },
        },
        required: ['min', 'max'],
      },
    ],
    default: [1, 1.2, 1.5],
  },
  rotations: {
    description: 'counter-clockwise angles in degrees: a list to choose from, or a range',
    anyOf: [
      { type: 'array', items: { type: 'number' }, minItems: 1 },
      {
        type: 'object',
        additionalProperties: false,
        properties: { min: { type: 'number' }, max: { type: 'number' } },
        required: ['min', 'max'],
      },
    ],
    default: [0],
  },
  normals_interpolation: {
    description: 'how normals are warped and resized: nearest as in MT-CP, cubic as in SV',
    enum: ['nearest', 'cubic'],
    default: 'nearest',
  },
  borders_as_background: {
    description:
      'Mishap of the original: what rotation and zoom bring in from outside counts as class 0 and as not salient; otherwise it is unknown.',
    type: 'boolean',
    default: false,
  },
  wrap_bytes: {
    description:
      'Mishap of the original: where cubic interpolation overshoots 0 or 255, bytes wrap around; otherwise they are clipped.',
    type: 'boolean',
    default: false,
  },
});

type Choice = readonly number[] | { readonly min: number; readonly max: number };

@component({
  kind: 'transform',
  name: 'sv',
  summary: 'flip, zoom and rotate about the centre, fixed size, ImageNet normalisation',
  source: 'Vandenhende et al., Multi-Task Learning for Dense Prediction Tasks; shared by MTFormer and MT-CP',
  options: schema,
  file: import.meta.url,
})
export class SvPipeline implements Transform {
  readonly size: readonly [number, number];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.size = [options.size[0], options.size[1]];
  }

  /** Draws three numbers from `random`, always: flip, rotation, scale. */
  train(sample: Sample, random: RandomStream): Sample {
    const flip = random.uniform() < 0.5 && this.options.flip;
    const degrees = choose(this.options.rotations, random.uniform());
    const scale = choose(this.options.scales, random.uniform());
    const augment = (map: MapData, interpolation: Interpolation, outside: number): MapData => {
      const flipped = flip ? flipHorizontally(map) : map;
      if (degrees === 0 && scale === 1) return flipped;
      const about = rotationMatrix(map.width / 2, map.height / 2, degrees, scale);
      return warpAffine(flipped, about, interpolation, outside);
    };
    const augmentLabel = (label: LabelMap): LabelMap => {
      const { move } = kindOf(label);
      const given = move ? { ...label, data: move(label.data, { flip, degrees, scale }) } : label;
      return { ...label, ...augment(given, this.#interpolation(label), this.#outside(label)) };
    };
    const { width, height } = sample.image;
    const moved = degrees !== 0 || scale !== 1;
    return {
      id: sample.id,
      image: this.#photo(sample.image, flip, moved && rotationMatrix(width / 2, height / 2, degrees, scale)),
      labels: this.#finish(mapValues(sample.labels, augmentLabel)),
    };
  }

  evaluate({ id, image, labels }: Sample): Sample {
    return { id, image: this.#photo(image, false, false), labels: this.#finish(labels) };
  }

  /** Flipped, moved, resized and normalised, one row after the other. */
  #photo(image: MapData, flip: boolean, move: Affine | false): MapData {
    const [height, width] = this.size;
    const space = workspace();
    let rows: Rows = move
      ? cubicRows(space, image, invertAffine(move), flip)
      : new StoredRows(space, image, flip);
    if (image.height !== height || image.width !== width)
      rows = new ResampledRows(
        space,
        rows,
        resizeTaps(image.width, width, 0, width, 'cubic'),
        resizeTaps(image.height, height, 0, height, 'cubic'),
      );
    rows = asBytes(space, rows, this.options.wrap_bytes ? 'wrap' : 'clip');
    const data = new Float32Array(height * width * 3);
    for (let y = 0; y < height; y++)
      normalisePixels(space.bytes(rows.row(y), 3 * width), NORMALISED, data, 3 * width * y);
    return { height, width, channels: 3, data };
  }

  #interpolation(label: LabelMap): Interpolation {
    return kindOf(label).smooth ? this.options.normals_interpolation : 'nearest';
  }

  #outside(label: LabelMap): number {
    const { outside } = kindOf(label);
    return outside === IGNORE && this.options.borders_as_background ? 0 : outside;
  }

  #finish(labels: Record<string, LabelMap>): Record<string, LabelMap> {
    const [height, width] = this.size;
    const fit = (label: LabelMap): LabelMap => {
      const fitted = { ...label, ...resize(label, height, width, this.#interpolation(label)) };
      const { settle } = kindOf(label);
      return settle ? { ...fitted, data: settle(fitted.data) } : fitted;
    };
    return markInvalid(mapValues(labels, fit));
  }
}

/** The element or the value of a range that `u`, uniform in [0, 1), picks. */
function choose(choice: Choice, u: number): number {
  return 'min' in choice ? choice.min + u * (choice.max - choice.min) : choice[Math.floor(u * choice.length)];
}
