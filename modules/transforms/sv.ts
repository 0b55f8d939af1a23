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
  type Motion,
  type OptionsOf,
  type RandomStream,
  type Sample,
  type Transform,
} from '../../registry/index.js';
import { markMap } from './machinery/ignore.js';
import { mapValues, NORMALISED, normalisePixels } from './machinery/image.js';
import { floatsOf, imageData, takeLabel } from './machinery/labels.js';
import { movedIndices } from '../support/raster/nearest.js';
import { invertAffine, rotationMatrix, type Affine } from '../support/raster/positions.js';
import { asBytes, collect, ResampledRows, StoredRows, type Rows } from '../support/raster/rows.js';
import { resizeTaps } from '../support/raster/taps.js';
import { workspace, type Workspace } from '../support/raster/workspace.js';
import { cubicRows, type Interpolation } from '../support/warp.js';

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
  train(sample: Sample, random: RandomStream, into?: Sample): Sample {
    const flip = random.uniform() < 0.5 && this.options.flip;
    const degrees = choose(this.options.rotations, random.uniform());
    const scale = choose(this.options.scales, random.uniform());
    return this.#apply(sample, { flip, degrees, scale }, into);
  }

  evaluate(sample: Sample, into?: Sample): Sample {
    return this.#apply(sample, { flip: false, degrees: 0, scale: 1 }, into);
  }

  #apply({ id, image, labels }: Sample, motion: Motion, into?: Sample): Sample {
    const [height, width] = this.size;
    // Labels are as large as the image, as a rule.
    const indices = new Map<string, Int32Array>();
    const indicesFor = (map: MapData): Int32Array => {
      const key = `${map.height}x${map.width}`;
      if (!indices.has(key))
        indices.set(key, movedIndices(map, { height, width }, inverseOf(map, motion), motion.flip));
      return indices.get(key)!;
    };
    const fit = (label: LabelMap, name: string): LabelMap => {
      const own = into?.labels[name];
      if (this.#interpolation(label) === 'cubic') return this.#smoothLabel(name, label, motion, own);
      const outside = this.#outside(label);
      const rules = { motion, settled: true, outside, into: own };
      return takeLabel(name, label, indicesFor(label), { height, width }, rules);
    };
    return {
      id,
      image: this.#photo(image, motion, imageData(into, height * width * 3)),
      labels: mapValues(labels, fit),
    };
  }

  #smoothLabel(name: string, label: LabelMap, motion: Motion, into?: LabelMap): LabelMap {
    const kind = kindOf(label);
    const [height, width] = this.size;
    const data = kind.move?.(label.data, motion, label.channels) ?? label.data;
    const space = workspace();
    const fitted = collect(space, this.#rows(space, { ...label, data }, motion), floatsOf(into));
    const settled = kind.settle?.(fitted.data, fitted.data) ?? fitted.data;
    return markMap(name, { ...label, height, width, data: settled }, settled);
  }

  /** Flipped, moved and resized, smoothly. */
  #rows(space: Workspace, map: MapData, motion: Motion): Rows {
    const [height, width] = this.size;
    const inverse = inverseOf(map, motion);
    const moved = inverse
      ? cubicRows(space, map, inverse, motion.flip)
      : new StoredRows(space, map, motion.flip);
    if (map.height === height && map.width === width) return moved;
    return new ResampledRows(
      space,
      moved,
      resizeTaps(map.width, width, 0, width, 'cubic'),
      resizeTaps(map.height, height, 0, height, 'cubic'),
    );
  }

  /** Cut to bytes and normalised, one row after the other. */
  #photo(image: MapData, motion: Motion, data: Float32Array): MapData {
    const [height, width] = this.size;
    const space = workspace();
    const rows = asBytes(space, this.#rows(space, image, motion), this.options.wrap_bytes ? 'wrap' : 'clip');
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
}

/** Of the warp about the centre; undefined if nothing moves. */
function inverseOf({ height, width }: MapData, { degrees, scale }: Motion): Affine | undefined {
  if (degrees === 0 && scale === 1) return undefined;
  return invertAffine(rotationMatrix(width / 2, height / 2, degrees, scale));
}

/** The element or the value of a range that `u`, uniform in [0, 1), picks. */
function choose(choice: Choice, u: number): number {
  return 'min' in choice ? choice.min + u * (choice.max - choice.min) : choice[Math.floor(u * choice.length)];
}
