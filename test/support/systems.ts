// Runs a backbone or a whole network on the drawn weights of a fixture of test/reference/systems_torch and compares
// outputs in training and evaluation mode, every gradient and every running statistic.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '../../registry/tf.js';
import { expect } from 'chai';
import { inputName, ParameterTable, Pass } from '../../modules/nn/scope.js';
import { resizeBilinear } from '../../modules/nn/resize.js';
import type { Scope } from '../../registry/contracts/scope.js';
import { hostTensor } from '../../runners/engine/engine.js';
import { channelsLast, namedValues } from '../reference/fixtures.js';
import { expectClose, recordingEngine } from './oracle.js';

const FOLDER = join(import.meta.dirname, '../../../test/reference/fixtures/systems');
/** CELLS of fixture.py. */
const CELLS = 24;

interface Fixture {
  model: Record<string, unknown>;
  image: [number, number, number, number];
  /** How far PyTorch in float32 is from the gradients. */
  float32: number;
  /** The same of the median parameter; older fixtures lack it. */
  median?: number;
  /** Shapes are [batch, channels, height, width]. */
  outputs: Record<string, { shape: number[]; cells: number[] }>;
  evaluation: Record<string, number[]>;
}

interface Row {
  kind: 'parameter' | 'buffer' | 'noise';
  name: string;
  shape: number[];
  initial: Float32Array;
  /** Of the gradient, or of the buffer after the step; undefined where PyTorch has no gradient. */
  norm?: number;
  product?: number;
}

export function readFixture(name: string): Fixture & { rows: Row[] } {
  const rows = readFileSync(join(FOLDER, `${name}.tsv`), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(parseRow);
  return { ...(JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Fixture), rows };
}

function parseRow(line: string): Row {
  const [path, dimensions, offset, scale, norm, product] = line.split('\t');
  const slash = path.indexOf('/');
  const name = path.slice(slash + 1);
  const shape = dimensions === '' ? [] : dimensions.split('x').map(Number);
  return {
    kind: path.slice(0, slash) as Row['kind'],
    name,
    shape,
    initial: namedValues(name, tf.util.sizeFromShape(shape), Number(offset), Number(scale)),
    ...(norm !== 'none' && { norm: Number(norm), product: Number(product) }),
  };
}

/** Maps may have any size: they are brought to the size of the fixture's. */
type Forward = (scope: Scope, image: tf.Tensor4D, pass: Pass) => Record<string, tf.Tensor>;

/** How far outputs and gradients may be off, relative to their size. */
const OUTPUTS = 1e-4;
const GRADIENTS = 1e-3;

/** @param forward outputs by the fixture's names, from the root scope; maps are NHWC */
export async function expectFixture(name: string, forward: Forward): Promise<void> {
  const fixture = readFixture(name);
  // Batch norm over a handful of cells makes rounding errors large, in PyTorch as here.
  const tolerance = Math.max(GRADIENTS, 3 * fixture.float32);
  const table = new ParameterTable();
  const trained = await run(fixture, table, forward, true);
  const known = new Map(fixture.rows.map((row) => [row.name, row]));
  expect([...table.parameters.keys()].sort(), 'parameters').to.deep.equal(
    fixture.rows
      .filter(({ kind }) => kind === 'parameter')
      .map((row) => row.name)
      .sort(),
  );
  for (const [key, { shape }] of [...table.parameters, ...table.buffers])
    expect(shape, key).to.deep.equal(known.get(key)?.shape);
  for (const [key, shape] of table.noises) expect(shape, key).to.deep.equal(known.get(key)?.shape);

  for (const [key, { shape, cells }] of Object.entries(fixture.outputs))
    expectClose(sample(trained.get(`output/${key}`)!, shape), cells, OUTPUTS, `${name}: ${key}`);
  // A gradient far below the others (a bias that a norm takes away again) is noise on both sides.
  const largest = Math.max(...fixture.rows.map(({ kind, norm }) => (kind === 'parameter' ? (norm ?? 0) : 0)));
  const errors: number[] = [];
  for (const row of fixture.rows) {
    if (row.kind === 'noise') continue;
    const key = row.kind === 'parameter' ? `gradient/${row.name}` : `after/${row.name}`;
    const actual = trained.get(key) ?? new Float32Array(row.initial.length);
    const scale = Math.max(row.norm ?? 0, 1e-5 * largest);
    const norm = Math.sqrt(actual.reduce((sum, value) => sum + value * value, 0));
    expect(Math.abs(norm - (row.norm ?? 0)) / scale, `norm of ${key}`).to.be.at.most(tolerance);
    const direction = namedValues(`${row.name}/direction`, row.initial.length, 0, 1);
    const product = actual.reduce((sum, value, i) => sum + value * direction[i], 0);
    const error = Math.abs(product - (row.product ?? 0)) / scale;
    expect(error, `product of ${key}`).to.be.at.most(tolerance);
    if (row.kind === 'parameter') errors.push(error);
  }
  if (fixture.median !== undefined) {
    const middle = errors.sort((a, b) => a - b)[Math.floor(errors.length / 2)];
    expect(middle, 'the median error of a gradient').to.be.at.most(Math.max(GRADIENTS, 3 * fixture.median));
  }
  const evaluated = await run(fixture, table, forward, false);
  for (const [key, cells] of Object.entries(fixture.evaluation)) {
    // Intermediate predictions are made in training only.
    if (!evaluated.has(`output/${key}`)) continue;
    expectClose(
      sample(evaluated.get(`output/${key}`)!, fixture.outputs[key].shape),
      cells,
      OUTPUTS,
      `${name}: ${key}, evaluation`,
    );
  }
}

async function run(
  fixture: ReturnType<typeof readFixture>,
  table: ParameterTable,
  forward: Forward,
  training: boolean,
): Promise<Map<string, Float32Array>> {
  const [batch, channels, height, width] = fixture.image;
  const program = await recordingEngine.compile('fixture', (tracer) => {
    const image = tracer.input('image', 'float32', [batch, height, width, channels]) as tf.Tensor4D;
    const results: tf.NamedTensorMap = {};
    const objective = () => {
      const pass = new Pass(table, tracer, training);
      const terms = Object.entries(forward(pass.root, image, pass)).map(([key, output]) => {
        const { shape } = fixture.outputs[key];
        // Authors enlarge predictions inside the network; here the runner does.
        if (output.rank === 4) output = resizeBilinear(output as tf.Tensor4D, [shape[2], shape[3]]);
        results[`output/${key}`] = tf.keep(output);
        return output.mul(tracer.input(`upstream/${key}`, 'float32', output.shape)).sum();
      });
      for (const [key, { observed, momentum }] of pass.averages) {
        const old = tracer.input(inputName.buffer(key), 'float32', table.buffers.get(key)!.shape);
        results[`after/${key}`] = tf.keep(old.mul(1 - momentum).add(observed.mul(momentum)));
      }
      return tf.addN(terms) as tf.Scalar;
    };
    tf.tidy(() => void objective());
    if (!training) return results;
    const names = [...table.parameters.keys()];
    const inputs = names.map((key) =>
      tracer.input(inputName.parameter(key), 'float32', table.parameters.get(key)!.shape),
    );
    const { grads } = tf.engine().gradients(objective, inputs, undefined, true);
    names.forEach((key, i) => grads[i] && (results[`gradient/${key}`] = grads[i]));
    return results;
  });
  const initial = new Map(fixture.rows.map((row) => [row.name, row.initial]));
  const results = new Map<string, Float32Array>();
  const binding = program.bind((key, spec) => {
    const tensor = hostTensor(spec);
    const data = tensor.data as Float32Array;
    if (!program.inputs.has(key)) results.set(key, data);
    else if (key === 'image') data.set(nhwc('image', fixture.image, 1.7));
    else if (key.startsWith('upstream/')) {
      const output = key.slice('upstream/'.length);
      data.set(nhwc(`${output}/upstream`, fixture.outputs[output].shape, 1));
    } else {
      const values = initial.get(key.slice(key.indexOf('/') + 1));
      expect(values, `the fixture has no ${key}`).to.not.equal(undefined);
      data.set(values!);
    }
    return tensor;
  });
  await binding.run();
  binding.close();
  program.close();
  return results;
}

function nhwc(name: string, shape: number[], scale: number): Float32Array {
  const data = namedValues(name, tf.util.sizeFromShape(shape), 0, scale);
  return channelsLast({ shape, data }).data;
}

/** The cells that fixture.py keeps of a map that is NHWC here. */
function sample(data: Float32Array, shape: number[]): number[] {
  const stride = Math.max(1, Math.floor(data.length / CELLS)) | 1;
  const [, channels, height, width] = shape;
  const cells: number[] = [];
  for (let i = 0; i < data.length; i += stride) {
    const place = i % (height * width);
    const channel = Math.floor(i / (height * width)) % channels;
    const image = Math.floor(i / (height * width * channels));
    cells.push(shape.length === 4 ? data[(image * height * width + place) * channels + channel] : data[i]);
  }
  return cells;
}
