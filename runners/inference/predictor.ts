// A trained trial applied to images that no data set knows: any size, any number.
//
//   image -> the trial's own pipeline, without augmentation -> network -> each task's map, at the image's size
//
// The network runs at the size it was trained at unless another is asked for; a graph is recorded once for each size.
import { join } from 'node:path';
import { createTrialContainer } from '../../registry/container.js';
import type { MapData, Transform } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { MtcpError } from '../../registry/errors.js';
import type { TrialSpec } from '../config/index.js';
import { createEngine, onOneDevice } from '../engine/index.js';
import { hostTensor, type Engine, type Program } from '../engine/engine.js';
import type { Binding, HostTensor } from '../engine/ort/session.js';
import { tracePredictions } from '../training/evaluation.js';
import { assembled } from '../model/assemble.js';
import { threadsOf } from '../config/index.js';
import { SafetensorsFile } from '../support/safetensors.js';
import { wholeWeights } from '../store/checkpoint.js';
import { trialIn, weightsIn } from '../store/weights/trial-folder.js';
import { toImage } from './to-image.js';
import { predictInWindows } from './windows.js';

export interface PredictorOptions {
  /** Name of a checkpoint; by default the weights that the trial's numbers belong to. */
  checkpoint?: string;
  /** Height and width of the network's input; `native` is the image's own, rounded up to a multiple of 32. */
  size?: readonly [number, number] | 'native';
  /** Images that are larger than the network's input are predicted in windows of its size; see windows.ts. */
  window?: boolean;
}

interface Compiled {
  program: Program;
  binding: Binding;
  hosts: Map<string, HostTensor>;
  transform: Transform;
}

/** What strides of all backbones divide. */
const MULTIPLE = 32;

export class Predictor {
  readonly #weights = new Map<string, HostTensor>();
  readonly #compiled = new Map<string, Compiled>();
  readonly #parts;

  private constructor(
    readonly trial: TrialSpec,
    /** The checkpoint or file of the weights in use. */
    readonly checkpoint: string,
    readonly weightsFile: string,
    readonly options: PredictorOptions,
    readonly engine: Engine,
  ) {
    this.#parts = assembled(trial);
  }

  /**
   * @param folder of a trial
   * @throws MtcpError `usage` if there is no such trial or checkpoint
   */
  static async open(folder: string, options: PredictorOptions = {}): Promise<Predictor> {
    const trial = trialIn(folder);
    const checkpoint = weightsIn(folder, options.checkpoint);
    wholeWeights(checkpoint);
    return new Predictor(
      trial,
      checkpoint,
      join(checkpoint, 'weights.safetensors'),
      options,
      await createEngine(onOneDevice(trial.config.engine), threadsOf(trial.config)),
    );
  }

  /**
   * @param trial whose network it is; it need not have been trained
   * @param weights a safetensors file of the whole network, such as `mtcp weights import --row` writes
   * @throws MtcpError `weights` at the first prediction if the file is not of this network
   */
  static async ofFile(trial: TrialSpec, weights: string, options: PredictorOptions = {}): Promise<Predictor> {
    new SafetensorsFile(weights).close();
    const engine = await createEngine(onOneDevice(trial.config.engine), threadsOf(trial.config));
    return new Predictor(trial, weights, weights, options, engine);
  }

  get tasks(): readonly Task[] {
    return this.#parts.tasks;
  }

  /**
   * @param image RGB, 0..255
   * @returns class indices, metres, unit normals or probabilities at every pixel of the image
   */
  async predict(image: MapData): Promise<Record<string, MapData>> {
    const { size } = createTrialContainer(this.tasks).create('transform', this.trial.config.augment);
    const window = Array.isArray(this.options.size) ? (this.options.size as [number, number]) : size;
    const [rows, columns] = window;
    const { height, width } = image;
    // An image that is smaller than a window in one direction is predicted as a whole.
    if (this.options.window && height >= rows && width >= columns && height * width > rows * columns)
      return predictInWindows(image, window, this.tasks, (part) => this.#predict(part, false));
    return this.#predict(image, true);
  }

  /** @param decoded false: probabilities instead of classes */
  async #predict(image: MapData, decoded: boolean): Promise<Record<string, MapData>> {
    const { binding, hosts, transform } = await this.#for(image, decoded);
    const prepared = transform.evaluate({ id: 'image', image, labels: {} }).image;
    hosts.get('image')!.data.set(prepared.data);
    await binding.run();
    return Object.fromEntries(
      this.tasks.map((task) => {
        const { data, shape } = hosts.get(`prediction/${task.name}`)!;
        const [, height, width, channels = 1] = shape;
        const whole = { height, width, channels, data: data.slice() };
        // A window is of the network's size: there is nothing to resize.
        return [task.name, decoded ? toImage(whole, image, task, transform.fit) : whole];
      }),
    );
  }

  close(): void {
    for (const { binding, program } of this.#compiled.values()) {
      binding.close();
      program.close();
    }
    this.engine.close();
  }

  async #for(image: MapData, decoded: boolean): Promise<Compiled> {
    const { augment } = this.trial.config;
    const components = createTrialContainer(this.tasks);
    const own = components.create('transform', augment);
    const size = this.#sizeFor(image, own);
    const key = `${size.join('x')}${decoded ? '' : ', probabilities'}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const transform = components.create('transform', { ...augment, size: [...size] });
    const program = await this.engine.compile('prediction', (tracer) =>
      tracePredictions(tracer, this.#parts.network, [1, ...size], this.trial.config.evaluate, decoded),
    );
    this.#readWeights(program);
    const hosts = new Map<string, HostTensor>();
    const binding = program.bind((name, spec) => {
      const weight = this.#weights.get(name);
      if (weight) return weight;
      const tensor = hostTensor(spec);
      hosts.set(name, tensor);
      return tensor;
    });
    const compiled = { program, binding, hosts, transform };
    this.#compiled.set(key, compiled);
    return compiled;
  }

  #sizeFor({ height, width }: MapData, { size, fit }: Transform): readonly [number, number] {
    const wanted = this.options.size;
    const up = (n: number) => Math.ceil(n / MULTIPLE) * MULTIPLE;
    if (wanted === 'native') return [up(height), up(width)];
    if (wanted) return wanted;
    // A pipeline that pads has no way to make an image smaller.
    return fit === 'pad' ? [Math.max(size[0], up(height)), Math.max(size[1], up(width))] : size;
  }

  #readWeights(program: Program): void {
    const path = this.weightsFile;
    const file = new SafetensorsFile(path);
    try {
      for (const [name, spec] of program.inputs) {
        const match = /^(?:parameter|buffer)\/(.*)$/.exec(name);
        if (!match || this.#weights.has(name)) continue;
        const stored = file.tensors.get(match[1]);
        if (stored?.shape.join() !== spec.shape.join())
          throw new MtcpError('weights', `${path} has no "${match[1]}" of ${spec.shape.join('x')}`, {
            hint: stored
              ? 'the parameter depends on the size of the image; leave out --size'
              : 'the file is of another network; `mtcp weights import SOURCE EXPERIMENT --row ROW` writes one of a row',
          });
        const tensor = hostTensor(spec);
        file.readInto(match[1], tensor.data);
        this.#weights.set(name, tensor);
      }
    } finally {
      file.close();
    }
  }
}
