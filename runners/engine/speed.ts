// How fast a device is, as far as the duration of a training step depends on it: seconds for having an operator at all, for
// an operation of a product, and for a number that passes through memory. They are measured once for an engine and kept, or
// taken from the data sheet of a device that is not here.
//
// The measurement trains three small networks for some steps: one of many tiny operators, one of convolutions, one of large
// maps. Each is a training step as mtcp records it, so what threads, Winograd's filtering or a compiler gain is in it.
import { createHash } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../modules/datasets/folders/cache.js';
import { conv2d } from '../../modules/nn/ops/convolution.js';
import { relu } from '../../modules/nn/ops/activations.js';
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat } from '../../registry/support/json-file.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { didYouMean } from '../../registry/support/near.js';
import * as tf from '../../registry/tf.js';
import { writeWhole } from '../support/files.js';
import { hostTensor, type Engine, type Tracer } from './engine.js';
import { USUAL, workOf, type Work } from './graph/cost.js';
import type { Target } from './graph/target.js';
import { unshaped } from './graph/views.js';
import { record } from './recording.js';

/** Seconds for one of each; see `Work`. */
export type Speed = Readonly<Record<keyof Work, number>>;

/** A measurement: what was asked of a device, and how long it took. */
export interface Sample {
  work: Work;
  seconds: number;
}

/**
 * Of several such devices on parts of a batch: each runs every operator, with its part of the arithmetic. What they
 * exchange is not counted.
 */
export const dividedAmong = ({ operators, operations, numbers }: Speed, devices: number): Speed => ({
  operators,
  operations: operations / devices,
  numbers: numbers / devices,
});

export const secondsOf = (work: Work, speed: Speed): number =>
  work.operators * speed.operators + work.operations * speed.operations + work.numbers * speed.numbers;

/** A device on which operators take all of the time is not taken to compute at no cost. */
const LEAST = 0.01;

/**
 * The speed that explains measurements of the small networks. Operators take what the first one, of tiny operators, took;
 * products and memory are scaled together by what the others took, at the proportions that they have on a CPU. Two numbers
 * for them would be at the mercy of each network's peculiarities: networks that differ much in one differ in the other, too.
 */
export function speedOf([tiny, ...others]: readonly Sample[]): Speed {
  const operators = (USUAL.operators * tiny.seconds) / secondsOf(tiny.work, USUAL);
  const logarithms = others.map(({ work, seconds }) => {
    const rest = secondsOf({ ...work, operators: 0 }, USUAL);
    return Math.log(Math.max(LEAST, (seconds - work.operators * operators) / rest));
  });
  const factor = Math.exp(logarithms.reduce((a, b) => a + b, 0) / logarithms.length);
  return { operators, operations: USUAL.operations * factor, numbers: USUAL.numbers * factor };
}

/** Maps, channels and layers of each small network; the first is of tiny operators. */
const NETWORKS: readonly {
  size: readonly [number, number];
  batch: number;
  channels: number;
  layers: number;
}[] = [
  { size: [4, 6], batch: 1, channels: 8, layers: 12 },
  { size: [16, 24], batch: 4, channels: 64, layers: 3 },
  { size: [64, 96], batch: 2, channels: 24, layers: 3 },
];
/** Independent branches, as the tasks of a network: threads may share them. */
const BRANCHES = 3;
/** Of each network: steps before the clock runs, and the least seconds and steps on it. */
const WARM = 2;
const SECONDS = 0.4;
const STEPS = 5;

/**
 * Trains the small networks; a second or two where nothing has to be compiled.
 * @param target what the engine records for
 */
export async function measure(engine: Engine, target: Target): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const network of NETWORKS) {
    const define = (tracer: Tracer) => trainingStep(tracer, network);
    const { graph, outputs } = await record(define, { target });
    const work = workOf(graph.reachable([...unshaped(outputs).values()]));
    const program = await engine.compile('speed', define);
    try {
      const binding = program.bind((_, spec) => {
        const tensor = hostTensor(spec);
        for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = Math.sin(i) / 8;
        return tensor;
      });
      for (let i = 0; i < WARM; i++) await binding.run();
      const times: number[] = [];
      for (let all = 0; all < SECONDS || times.length < STEPS; all += times.at(-1)!) {
        const began = performance.now();
        await binding.run();
        times.push((performance.now() - began) / 1000);
      }
      binding.close();
      // Other programs only ever make it slower.
      samples.push({ work, seconds: Math.min(...times) });
    } finally {
      program.close();
    }
  }
  return samples;
}

/** Gradients of a sum over branches of convolutions, normalisations and activations. */
function trainingStep(
  tracer: Tracer,
  { size, batch, channels, layers }: (typeof NETWORKS)[number],
): tf.NamedTensorMap {
  const image = tracer.input('image', 'float32', [batch, ...size, channels]) as tf.Tensor4D;
  const names = Array.from({ length: BRANCHES * layers }, (_, i) => `w${i}`);
  const filters = names.map(
    (name) => tracer.input(name, 'float32', [channels, channels, 3, 3]) as tf.Tensor4D,
  );
  const attributes = {
    stride: [1, 1] as [number, number],
    padding: [1, 1, 1, 1] as [number, number, number, number],
    dilation: [1, 1] as [number, number],
    groups: 1,
  };
  const loss = (): tf.Scalar => {
    const ends = Array.from({ length: BRANCHES }, (_, branch) => {
      let x = image;
      for (let layer = 0; layer < layers; layer++) {
        const y = conv2d(x, filters[branch * layers + layer], attributes);
        const { mean, variance } = tf.moments(y, [0, 1, 2]);
        x = relu(y.sub(mean).div(variance.add(1e-5).sqrt())) as tf.Tensor4D;
      }
      return tf.softmax(x).square().mean();
    });
    return tf.addN(ends) as tf.Scalar;
  };
  const { value, grads } = tf.engine().gradients(loss, filters, undefined, true);
  return {
    value: tf.keep(value),
    ...Object.fromEntries(names.map((name, i) => [name + '.gradient', grads[i]])),
  };
}

const SPEED = new JsonFormat<{ speed: Speed }>('a measured speed', {
  type: 'object',
  required: ['speed'],
  properties: {
    speed: {
      type: 'object',
      required: ['operators', 'operations', 'numbers'],
      properties: Object.fromEntries(
        ['operators', 'operations', 'numbers'].map((part) => [part, { type: 'number', minimum: 0 }]),
      ),
    },
  },
});

/** Raised when measurements from before cannot be compared. */
const FORMAT = 1;

export interface KnownSpeed {
  speed: Speed;
  /** Whether other programs used the processors while it was measured. */
  busy: boolean;
}

/**
 * The speed of an engine on this machine: what is kept, or a measurement. That is kept unless the machine is busy.
 * @param about what the speed depends on: engine, threads
 * @param load processes that want to run, of the last minute
 */
export async function knownSpeed(
  about: readonly unknown[],
  measure: () => Promise<Speed>,
  load = loadavg()[0],
): Promise<KnownSpeed> {
  const identity = JSON.stringify([FORMAT, cpus()[0]?.model, cpus().length, process.version, ...about]);
  const name = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const path = join(cacheFolder(), 'speeds', `${name}.json`);
  try {
    const kept = SPEED.find(path);
    if (kept) return { speed: kept.speed, busy: false };
  } catch (error) {
    // A damaged file is made again.
    if (!MtcpError.is(error)) throw error;
  }
  const speed = await measure();
  if (load > cpus().length) return { speed, busy: true };
  try {
    makeFolder(dirname(path));
    writeWhole(path, `${JSON.stringify({ about, speed }, null, 2)}\n`);
  } catch (error) {
    // Without a cache it is measured again the next time.
    if (!MtcpError.is(error)) throw error;
  }
  return { speed, busy: false };
}

export type SheetPrecision = 'float32' | 'tf32' | 'bfloat16';

interface DataSheet {
  name: string;
  /** Operations a second, dense. */
  operations: Readonly<Record<SheetPrecision, number>>;
  /** Bytes a second of its memory. */
  memory: number;
}

/** Data sheets of devices that programs can be compiled for ahead. */
const SHEETS: Readonly<Record<string, DataSheet>> = {
  h100: {
    name: 'NVIDIA H100 SXM 80 GB',
    operations: { float32: 67e12, tf32: 494e12, bfloat16: 989e12 },
    memory: 3.35e12,
  },
};

export const NAMED_DEVICES: readonly string[] = Object.keys(SHEETS);

/** What programs of a few thousand operators usually reach of a data sheet. */
const REACHED = { operations: 0.35, memory: 0.6 };
/** Seconds to start a kernel, and operators that a compiler makes one of. */
const START = 3e-6;
const FUSED = 3;

/**
 * An estimate for a device that is not here, from its data sheet.
 * @throws MtcpError `usage` for an unknown name
 */
export function sheetSpeed(device: string, precision: SheetPrecision): { name: string; speed: Speed } {
  const sheet = Object.hasOwn(SHEETS, device) ? SHEETS[device] : undefined;
  if (!sheet)
    throw new MtcpError('usage', `nothing is known of the speed of "${device}"`, {
      where: `argument "--device ${device}"`,
      hint: didYouMean(device, NAMED_DEVICES),
    });
  return {
    name: sheet.name,
    speed: {
      operators: START / FUSED,
      operations: 1 / (sheet.operations[precision] * REACHED.operations),
      numbers: 4 / (sheet.memory * REACHED.memory * FUSED),
    },
  };
}
