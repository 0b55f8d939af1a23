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
import { mapValues, normalise } from './machinery/image.js';
import { flipHorizontally, resize, rotationMatrix, warpAffine, type Interpolation } from '../support/warp.js';

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
    const augment = (map: MapData, interpolation: Interpolation, outside = 0): MapData => {
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
    return this.#finish({
      id: sample.id,
      image: augment(sample.image, 'cubic'),
      labels: mapValues(sample.labels, augmentLabel),
    });
  }

  evaluate(sample: Sample): Sample {
    return this.#finish(sample);
  }

  #interpolation(label: LabelMap): Interpolation {
    return kindOf(label).smooth ? this.options.normals_interpolation : 'nearest';
  }

  #outside(label: LabelMap): number {
    const { outside } = kindOf(label);
    return outside === IGNORE && this.options.borders_as_background ? 0 : outside;
  }

  #finish({ id, image, labels }: Sample): Sample {
    const [height, width] = this.size;
    const fit = (label: LabelMap): LabelMap => {
      const fitted = { ...label, ...resize(label, height, width, this.#interpolation(label)) };
      const { settle } = kindOf(label);
      return settle ? { ...fitted, data: settle(fitted.data) } : fitted;
    };
    return {
      id,
      image: normalise(resize(image, height, width, 'cubic'), this.options.wrap_bytes),
      labels: markInvalid(mapValues(labels, fit)),
    };
  }
}

/** The element or the value of a range that `u`, uniform in [0, 1), picks. */
function choose(choice: Choice, u: number): number {
  return 'min' in choice ? choice.min + u * (choice.max - choice.min) : choice[Math.floor(u * choice.length)];
}
