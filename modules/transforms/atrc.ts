// The input pipeline of ATRC, which InvPT and most later work share: zoom, crop a window that shows more than one
// thing, flip, distort colours, normalise, pad to a fixed size. For evaluation nothing is resized: images are
// padded, and what is predicted for the padding is cut off again.
import {
  component,
  defineOptions,
  IGNORE,
  kindOf,
  MtcpError,
  options,
  type LabelMap,
  type MapData,
  type OptionsOf,
  type RandomStream,
  type Sample,
  type Transform,
} from '../../registry/index.js';
import { mapValues, NORMALISED, normalisePixels, normalisingTables } from './machinery/image.js';
import { imageData, takeLabel } from './machinery/labels.js';
import { Distorter, drawDistortion, type Distortion } from './machinery/photometric.js';
import { crossIndices, nearestIndices, OUTSIDE } from '../support/raster/nearest.js';
import { asBytes, ResampledRows, StoredRows } from '../support/raster/rows.js';
import { resizeTaps } from '../support/raster/taps.js';
import { workspace } from '../support/raster/workspace.js';

const schema = defineOptions({
  size: {
    description:
      'height and width of the window and of what comes out: 425x560 (ATRC) or 448x576 (InvPT) on NYUD, 512x512 on PASCAL',
    type: 'array',
    items: { type: 'integer', minimum: 1, maximum: 8192 },
    minItems: 2,
    maxItems: 2,
    default: [425, 560],
  },
  scales: {
    description: 'range of the zoom factor',
    type: 'object',
    additionalProperties: false,
    properties: {
      min: { description: 'smallest', type: 'number', exclusiveMinimum: 0 },
      max: { description: 'largest', type: 'number', exclusiveMinimum: 0 },
    },
    required: ['min', 'max'],
    default: { min: 0.5, max: 2 },
  },
  max_class_share: {
    description:
      'Windows in which one class takes this share of the known pixels are drawn again, up to ten times; 1 takes the first.',
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.75,
  },
  photometric: {
    description: 'distort brightness, contrast, saturation and hue',
    type: 'boolean',
    default: true,
  },
});

const REDRAWS = 10;

/** One draw of the augmentation. */
export interface AtrcPlan {
  scale: number;
  /** Upper left corner of the window, in the zoomed image. */
  top: number;
  left: number;
  flip: boolean;
  distortion: Distortion | undefined;
}

@component({
  kind: 'transform',
  name: 'atrc',
  summary: 'zoom, crop, flip, photometric distortion, padding, ImageNet normalisation',
  source: 'Bruggemann et al., Exploring Relational Context for Multi-Task Dense Prediction; shared by InvPT',
  options: schema,
  file: import.meta.url,
})
export class AtrcPipeline implements Transform {
  readonly size: readonly [number, number];
  readonly fit = 'pad';
  readonly needs: readonly string[];

  constructor(@options() private readonly options: OptionsOf<typeof schema>) {
    this.size = [options.size[0], options.size[1]];
    // Windows are judged by the classes in them.
    this.needs = options.max_class_share < 1 ? ['semseg'] : [];
  }

  train(sample: Sample, random: RandomStream, into?: Sample): Sample {
    const { scales, photometric } = this.options;
    const scale = scales.min + random.uniform() * (scales.max - scales.min);
    const window = this.#drawWindow(sample, scale, random);
    const flip = random.uniform() < 0.5;
    const distortion = photometric ? drawDistortion(random) : undefined;
    return this.apply(sample, { scale, ...window, flip, distortion }, into);
  }

  #drawWindow({ image, labels }: Sample, scale: number, random: RandomStream): { top: number; left: number } {
    const [height, width] = zoomedSize(image, scale);
    const draw = () => ({
      top: random.integer(Math.max(height - this.size[0], 0) + 1),
      left: random.integer(Math.max(width - this.size[1], 0) + 1),
    });
    let window = draw();
    if (!this.needs.includes('semseg') || !labels.semseg) return window;
    for (let i = 0; i < REDRAWS && !this.#shows(labels.semseg, scale, window); i++) window = draw();
    return window;
  }

  /** Rows and columns of a map that a window of it, zoomed, shows. */
  #window(map: MapData, scale: number, { top, left }: { top: number; left: number }) {
    const [height, width] = zoomedSize(map, scale);
    return {
      rows: nearestIndices(map.height, height).subarray(top, top + this.size[0]),
      columns: nearestIndices(map.width, width).subarray(left, left + this.size[1]),
    };
  }

  /** Whether a window has several classes, none of which takes too much of it. */
  #shows(classes: LabelMap, scale: number, window: { top: number; left: number }): boolean {
    const { rows, columns } = this.#window(classes, scale, window);
    const counts = new Int32Array(IGNORE + 1);
    for (let y = 0; y < rows.length; y++) {
      const start = rows[y] * classes.width;
      for (let x = 0; x < columns.length; x++) counts[classes.data[start + columns[x]]]++;
    }
    const known = counts.subarray(0, IGNORE);
    const total = known.reduce((a, b) => a + b, 0);
    const most = Math.max(...known);
    return most < total && most / total < this.options.max_class_share;
  }

  /** The augmentation that `plan` says, without a random number. */
  apply({ id, image, labels }: Sample, plan: AtrcPlan, into?: Sample): Sample {
    const { scale, flip } = plan;
    const [height, width] = this.size;
    const indices = new Map<string, Int32Array>();
    const indicesFor = (map: MapData): Int32Array => {
      const key = `${map.height}x${map.width}`;
      if (!indices.has(key)) {
        const { rows, columns } = this.#window(map, scale, plan);
        const across = flip ? columns.slice().reverse() : columns;
        indices.set(key, crossIndices(centred(rows, height), centred(across, width), map.width));
      }
      return indices.get(key)!;
    };
    const take = (label: LabelMap, name: string): LabelMap =>
      takeLabel(
        name,
        label,
        indicesFor(label),
        { height, width },
        {
          motion: { flip, degrees: 0, scale },
          settled: false,
          outside: kindOf(label).outside,
          into: into?.labels[name],
        },
      );
    return {
      id,
      image: this.#photo(image, plan, imageData(into, height * width * 3)),
      labels: mapValues(labels, take),
    };
  }

  /** Zoomed, cut, flipped, distorted, normalised and put into the middle, one row after the other. */
  #photo(image: MapData, { scale, top, left, flip, distortion }: AtrcPlan, data: Float32Array): MapData {
    const [height, width] = zoomedSize(image, scale);
    const window = {
      height: Math.min(this.size[0], height - top),
      width: Math.min(this.size[1], width - left),
    };
    const space = workspace();
    const isZoomed = height !== image.height || width !== image.width;
    const stored = new StoredRows(space, image);
    const rows = asBytes(
      space,
      isZoomed
        ? new ResampledRows(
            space,
            stored,
            resizeTaps(image.width, width, left, window.width, 'linear'),
            resizeTaps(image.height, height, top, window.height, 'linear'),
          )
        : stored,
      'clip',
    );
    const [firstRow, firstColumn] = isZoomed ? [0, 0] : [top, left];
    const distorter = distortion && new Distorter(space, distortion);
    const tables = distorter?.after ? normalisingTables(distorter.after) : NORMALISED;
    if (window.height < this.size[0] || window.width < this.size[1]) data.fill(0);
    const padding = [(this.size[0] - window.height) >> 1, (this.size[1] - window.width) >> 1];
    for (let y = 0; y < window.height; y++) {
      const at = rows.row(firstRow + y) + 3 * firstColumn;
      distorter?.apply(at, window.width);
      const to = 3 * ((padding[0] + y) * this.size[1] + padding[1]);
      normalisePixels(space.bytes(at, 3 * window.width), tables, data, to, flip);
    }
    return { height: this.size[0], width: this.size[1], channels: 3, data };
  }

  evaluate(sample: Sample, into?: Sample): Sample {
    const { height, width } = sample.image;
    if (height > this.size[0] || width > this.size[1])
      throw new MtcpError(
        'config',
        `the image is ${height}x${width}, which does not fit into augment.size ${this.size.join('x')}`,
        { where: sample.id, hint: 'pipeline atrc pads images for evaluation; it does not shrink them' },
      );
    return this.apply(sample, { scale: 1, top: 0, left: 0, flip: false, distortion: undefined }, into);
  }
}

/** In the middle of a longer line, an odd rest at its end; around them comes what is outside. */
function centred(indices: Int32Array, length: number): Int32Array {
  const out = new Int32Array(length).fill(OUTSIDE);
  out.set(indices, (length - indices.length) >> 1);
  return out;
}

/** Fractions of a pixel are dropped. */
const zoomedSize = ({ height, width }: MapData, scale: number): [number, number] => [
  Math.max(1, Math.trunc(height * scale)),
  Math.max(1, Math.trunc(width * scale)),
];
