// The fixtures' tiny MT-CP, built from components: model sections, losses, scheme and weights as the PyTorch
// reference had them.
import '../../modules/index.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import type { Task } from '../../registry/contracts/tasks.js';
import type { IntermediateConfig, ModelConfig, TaskConfig } from '../../runners/config/trial.js';
import { Network } from '../../runners/model/network.js';
import type { Criterion } from '../../runners/model/objective.js';
import type { ModelFixture } from '../reference/fixtures.js';

interface ReferenceConfig {
  tasks: Task[];
  backbone: Record<string, number> & { depths: number[]; heads: number[] };
  representation: { layers: 'mean' | 'last'; activation: 'none' | 'sigmoid' };
  decoder: { depths: number[]; heads: number[]; window: number };
  interaction: {
    variant: 'paper' | 'code';
    merge: 'affinity' | 'channel';
    residual?: 'gamma' | 'none';
  } | null;
  refinement: {
    carry: 'feature' | 'prediction';
    skip?: boolean;
    intermediate_convolutions?: Record<string, 1 | 2>;
  } | null;
  depth_hidden: number;
  losses: {
    normals: 'l1' | 'mse';
    log: boolean;
    epsilon: number;
    weights: Record<string, number>;
    coherence: number;
  };
  optimizer: { rate: number; decay: number };
}

/** The fixture's configuration as sections of a trial. */
export function referenceSections(fixture: ModelFixture) {
  const config = fixture.config as unknown as ReferenceConfig;
  const { backbone: b, representation, interaction, refinement, losses } = config;
  const model: ModelConfig = {
    backbone: {
      type: 'mask2former',
      mask_layers: representation.layers,
      mask_activation: representation.activation,
      channels: b.hidden,
      heads: b.attention_heads,
      encoder: { embed: b.embed, depths: b.depths, heads: b.heads, window: b.window, drop_path: 0 },
      pixel_decoder: { layers: b.pixel_layers, feedforward: b.pixel_feedforward },
      transformer_decoder: { layers: b.query_layers, feedforward: b.query_feedforward, queries: b.queries },
    },
    decoder: { type: 'hfp', ...config.decoder },
    fusion: { type: 'dfpn' },
    interaction: interaction && { type: 'cfm', coherence_weight: losses.coherence, ...interaction },
    refinement: refinement && { type: 'srm', ...refinement },
  };
  const heads: Record<string, Pick<TaskConfig, 'head'>> = {
    semseg: { head: { type: 'mlp', upsample: 2 } },
    depth: { head: { type: 'depth', hidden: config.depth_hidden } },
    normals: { head: { type: 'mlp' } },
  };
  const lossSlots = {
    semseg: { type: 'cross_entropy' },
    depth: { type: 'l1_depth' },
    normals: { type: 'normals', distance: losses.normals, normalize: losses.normals === 'l1' },
  };
  const scheme: Slot = losses.log ? { type: 'log', epsilon: losses.epsilon } : { type: 'equal' };
  const optimizer: Slot = {
    type: 'adamw',
    rate: config.optimizer.rate,
    weight_decay: config.optimizer.decay,
  };
  const intermediate: IntermediateConfig = { reduce: 'mean', scheme: true, weight: 1 };
  return { config, model, heads, lossSlots, scheme, optimizer, intermediate };
}

export function referenceModel(fixture: ModelFixture) {
  const { config, model, heads, lossSlots, intermediate, ...slots } = referenceSections(fixture);
  const { tasks, losses } = config;
  const components = createTrialContainer(tasks);
  const scheme = components.create('scheme', slots.scheme);
  // The reference is given fixed weights; a scheme that has them all the time does the same.
  scheme.weights = () => Object.fromEntries(tasks.map(({ name }) => [name, losses.weights[name] ?? 1]));
  const criterion: Criterion = {
    tasks,
    losses: Object.fromEntries(
      tasks.map(({ name }) => [name, components.create('loss', lossSlots[name as keyof typeof lossSlots])]),
    ),
    scheme,
    intermediate,
  };
  const optimizer = components.create('optimizer', slots.optimizer);
  return { network: new Network(model, heads, tasks, components), criterion, optimizer, tasks };
}
