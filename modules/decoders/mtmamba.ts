// MTMamba and MTMamba++ (Lin et al. 2024): a decoder for each task that goes from the coarsest level to the finest. At
// every stage a map is enlarged, joined with the backbone's level, goes through two state-space blocks of its own, and
// through one that exchanges features between the tasks:
//
//   gated   (MTMamba)    all tasks' maps together are scanned once; a gate mixes the result with the task's own scan
//   guided  (MTMamba++)  the task's own map is scanned, and what all tasks have in common says how
//
// Tasks are scanned together (modules/nn/mamba.ts); apart from that each has its own parameters.
import * as tf from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  MtcpError,
  type Block,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { conv2d, dropPath, layerNorm, linear } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';
import { scanMaps, silu, type Scanned } from '../nn/mamba.js';

const schema = defineOptions({
  exchange: {
    enum: ['gated', 'guided'],
    default: 'gated',
    description: 'How tasks exchange features: as in MTMamba, or as in MTMamba++.',
  },
  state: {
    type: 'integer',
    minimum: 1,
    default: 16,
    description: 'Numbers in the state of each channel of a scan.',
  },
  ratio: {
    type: 'integer',
    minimum: 1,
    default: 2,
    description: 'Channels inside a state-space block over those outside.',
  },
  rank: {
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
    description: 'Rank of the step sizes; null: a sixteenth of the channels.',
  },
  expand: {
    type: 'integer',
    minimum: 1,
    default: 4,
    description: 'How often the finest map is enlarged at the end: 4 in MTMamba, 1 in MTMamba++.',
  },
  drop_path: {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.2,
    description: 'Stochastic depth of the first block; it falls to 0 at the last one.',
  },
});

type Maps = Record<string, tf.Tensor4D>;
const BLOCKS = 3;

@component({
  kind: 'decoder',
  name: 'mtmamba',
  summary: 'From coarse to fine by state-space blocks of each task and blocks that exchange features.',
  source: 'Lin et al. 2024 (MTMamba, MTMamba++); EnVision-Research/MTMamba models/MTMamba{,_plus}.py',
  options: schema,
  file: import.meta.url,
})
export class MtMamba extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const { shared } = features;
    const last = shared.length - 1;
    if (last < 1) throw new MtcpError('component', 'decoder mtmamba: the backbone needs two levels or more');
    let maps: Maps = byTask(this.tasks, () => shared[last].data);
    for (let stage = 0; stage < last; stage++) {
      const at = scope.at(`stages.${stage}`);
      const drop = (block: number) => this.#dropOf(BLOCKS * stage + block, BLOCKS * last);
      maps = this.#enlarge(at, maps, shared[last - stage - 1].data);
      for (const block of [0, 1]) maps = this.#own(at, `blocks.${block}`, maps, drop(block));
      const exchange = this.options.exchange === 'gated' ? this.#gated : this.#guided;
      maps = exchange.call(this, at.at('exchange'), maps, drop(2));
    }
    const { expand } = this.options;
    const pyramids = byTask(this.tasks, (name) => {
      const data = expand === 1 ? maps[name] : expanded(scope.at(`expand.${name}`), maps[name], expand, 1);
      return [{ data, stride: shared[0].stride / expand }];
    });
    return { ...features, tasks: pyramids, stages: pyramids };
  }

  /** Evenly falling to 0 at the last of `count` blocks. */
  #dropOf(block: number, count: number): number {
    return this.options.drop_path * (1 - block / (count - 1));
  }

  #enlarge(scope: Scope, maps: Maps, skip: tf.Tensor4D): Maps {
    return byTask(this.tasks, (name) => {
      const at = scope.at(name);
      const x = expanded(at.at('expand'), maps[name], 2, 2);
      if (x.shape[1] !== skip.shape[1] || x.shape[2] !== skip.shape[2])
        throw new MtcpError(
          'component',
          `decoder mtmamba: a level of ${skip.shape[1]}x${skip.shape[2]} is not twice the next one`,
          { hint: 'the sides of images must be multiples of the coarsest stride (32 with Swin)' },
        );
      const joined = tf.concat([x, skip], 3) as tf.Tensor4D;
      // The released modules hold the same layer in two shapes.
      const out = skip.shape[3];
      return this.options.exchange === 'gated'
        ? linear(at.at('concat'), joined, out)
        : conv2d(at.at('concat'), joined, out, { kernel: 1 });
    });
  }

  /** A block of each task's own: x + out(scan(in(norm(x))) * gate). */
  #own(scope: Scope, block: string, maps: Maps, drop: number): Maps {
    const entered = this.tasks.map(({ name }) => {
      const at = scope.at(`${name}.${block}`);
      const [map, gate] = enterGated(
        at.at('op'),
        layerNorm(at.at('norm'), maps[name]),
        this.#inner(maps[name]),
      );
      return { at, gate, scanned: { scope: at.at('op'), map } };
    });
    const y = this.#scan(
      entered.map(({ scanned }) => scanned),
      maps,
    );
    return this.#added(maps, drop, (name, i) => {
      const { at, gate } = entered[i];
      return [at, linear(at.at('op.out_proj'), y[i].mul(gate), maps[name].shape[3], { bias: false })];
    });
  }

  #gated(scope: Scope, maps: Maps, drop: number): Maps {
    const together = tf.concat(Object.values(maps), 3) as tf.Tensor4D;
    const inner = this.#inner(Object.values(maps)[0]);
    const scanOf = (at: Scope, x: tf.Tensor4D): Scanned => ({
      scope: at,
      map: linear(at.at('in_proj'), x, inner, { bias: false }),
    });
    const own = byTask(this.tasks, (name) => layerNorm(scope.at(`${name}.norm`), maps[name]));
    const [common, ...each] = this.#scan(
      [
        scanOf(scope.at('shared.op'), layerNorm(scope.at('shared.norm'), together)),
        ...this.tasks.map(({ name }) => scanOf(scope.at(`${name}.op`), own[name])),
      ],
      maps,
    );
    return this.#added(maps, drop, (name, i) => {
      const at = scope.at(name);
      const gate = linear(at.at('in_proj'), own[name], inner, { bias: false }).sigmoid();
      const mixed = each[i].add(gate.mul(common.sub(each[i]))) as tf.Tensor4D;
      return [at, linear(at.at('out_proj'), mixed, maps[name].shape[3], { bias: false })];
    });
  }

  #guided(scope: Scope, maps: Maps, drop: number): Maps {
    const together = tf.concat(Object.values(maps), 3) as tf.Tensor4D;
    const channels = Object.values(maps)[0].shape[3];
    const inner = this.#inner(Object.values(maps)[0]);
    const [first, second] = [scope.at('shared.conv1'), scope.at('shared.conv2')];
    const reduced = conv2d(first, layerNorm(scope.at('shared.norm'), together), channels, { kernel: 1 });
    const common = conv2d(second, reduced, channels, { kernel: 3, padding: 1 });
    const entered = this.tasks.map(({ name }) => {
      const at = scope.at(`${name}.op`);
      const [map, gate] = enterGated(at, layerNorm(scope.at(`${name}.norm`), maps[name]), inner);
      const guide = linear(at.at('in_proj_cross'), common, inner, { bias: false });
      return { gate, scanned: { scope: at, map, guide } };
    });
    const y = this.#scan(
      entered.map(({ scanned }) => scanned),
      maps,
    );
    return this.#added(maps, drop, (name, i) => [
      scope.at(name),
      linear(scope.at(`${name}.op.out_proj`), y[i].mul(entered[i].gate), channels, { bias: false }),
    ]);
  }

  #inner(x: tf.Tensor4D): number {
    return x.shape[3] * this.options.ratio;
  }

  #scan(scanned: readonly Scanned[], maps: Maps): tf.Tensor4D[] {
    return scanMaps(scanned, Object.values(maps)[0].shape[3], this.options);
  }

  /** Each task's map and what `f` makes of it, which stochastic depth may leave out. */
  #added(maps: Maps, drop: number, f: (name: string, i: number) => [Scope, tf.Tensor4D]): Maps {
    return Object.fromEntries(
      this.tasks.map(({ name }, i) => {
        const [at, branch] = f(name, i);
        return [name, maps[name].add(dropPath(at, branch, drop)) as tf.Tensor4D];
      }),
    );
  }
}

/** What is scanned, and what the result is multiplied by: [batch, height, width, inner] each. */
function enterGated(scope: Scope, x: tf.Tensor4D, inner: number): [map: tf.Tensor4D, gate: tf.Tensor4D] {
  const both = linear(scope.at('in_proj'), x, 2 * inner, { bias: false });
  const [map, gate] = tf.split(both, 2, 3) as tf.Tensor4D[];
  return [map, silu(gate)];
}

/**
 * `factor` times as large: a linear layer makes what each pixel becomes (Cao et al. 2021, Swin-Unet).
 * @param narrower by how much channels become fewer
 */
function expanded(scope: Scope, x: tf.Tensor4D, factor: number, narrower: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const out = channels / narrower;
  const y = linear(scope.at('expand'), x, out * factor * factor, { bias: false })
    .reshape([batch, height, width, factor, factor, out])
    .transpose([0, 1, 3, 2, 4, 5])
    .reshape([batch, height * factor, width * factor, out]);
  return layerNorm(scope.at('norm'), y as tf.Tensor4D);
}
