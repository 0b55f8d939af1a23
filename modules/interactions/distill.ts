// Multi-modal distillation (PAD-Net, Xu et al. 2018): each task adds what the other tasks' features let through a
// spatial gate; on every level that its pyramid has (MTI-Net distils on all four).
import type { Tensor4D } from '../../registry/tf.js';
import {
  component,
  Configured,
  defineOptions,
  type Block,
  type FeatureMap,
  type Features,
  type OptionsOf,
  type Scope,
} from '../../registry/index.js';
import { binaryConv } from '../nn/binary.js';
import { conv2d } from '../nn/layers.js';
import { byTask } from '../nn/levels.js';

const schema = defineOptions({
  gate_from: {
    enum: ['source', 'target'],
    default: 'source',
    description:
      "Whose features open the gate: those of the task that gives (source; the released code of MTI-Net's authors), or of the task that receives (target; the paper's equation).",
  },
  binary: { type: 'boolean', default: false, description: 'Binary convolutions (Bi-MTDP).' },
});

@component({
  kind: 'interaction',
  name: 'distill',
  summary: "Adds the other tasks' features through spatial gates, on every level.",
  source: 'Xu et al. 2018 (PAD-Net), module C; SimonVandenhende/Multi-Task-Learning-PyTorch models/padnet.py',
  options: schema,
  file: import.meta.url,
})
export class Distill extends Configured<OptionsOf<typeof schema>> implements Block {
  forward(scope: Scope, features: Features): Features {
    const pyramids = byTask(this.tasks, (target) =>
      features.tasks[target].map((own, level): FeatureMap => {
        const data = this.tasks
          .filter(({ name }) => name !== target)
          .reduce<Tensor4D>((sum, { name: source }) => {
            const at = scope.at(`levels.${level}.${target}.${source}`);
            return sum.add(this.#message(at, features.tasks[source][level].data, own.data));
          }, own.data);
        return { data, stride: own.stride };
      }),
    );
    return { ...features, tasks: pyramids };
  }

  #message(scope: Scope, source: Tensor4D, target: Tensor4D): Tensor4D {
    const out = target.shape[3];
    const convolve = (name: string, x: Tensor4D) =>
      this.options.binary
        ? binaryConv(scope.at(name), x, out)
        : conv2d(scope.at(name), x, out, { kernel: 3, padding: 1, bias: false });
    const gate = convolve('gate', this.options.gate_from === 'source' ? source : target);
    return convolve('conv', source).mul(gate.sigmoid());
  }
}
