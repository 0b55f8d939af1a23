// MTI-Net and PAD-Net of Vandenhende's repository, on HRNet. Both distil between tasks with the same module.
import type { AuthorsFormat } from '../../../registry/index.js';
import { withTasks } from './names.js';

const SOURCE =
  'github.com/SimonVandenhende/Multi-Task-Learning-PyTorch at ed3d9ac1c35493d8d22c4e33574919c326d77b6d';

export const mtiNet: AuthorsFormat = {
  name: 'MTI-Net',
  source: SOURCE,
  sign: /^fpm_scale_\d\./,
  renames: () =>
    withTasks([
      [/^fpm_scale_(\d)\.non_linear\.2\./, 'decoder.scales.$1.propagate.attend.'],
      [/^fpm_scale_(\d)\.non_linear\.(\d)\./, 'decoder.scales.$1.propagate.blocks.$2.'],
      [/^fpm_scale_(\d)\.dimensionality_reduction\./, 'decoder.scales.$1.propagate.reduce.0.'],
      [/^fpm_scale_(\d)\.se\.(\w+)\.squeeze\.0\./, 'decoder.scales.$1.propagate.gates.$2.fc1.'],
      [/^fpm_scale_(\d)\.se\.(\w+)\.squeeze\.2\./, 'decoder.scales.$1.propagate.gates.$2.fc2.'],
      [/^scale_(\d)\.refinement\.(\w+)\./, 'decoder.scales.$1.$2.blocks.'],
      [/^scale_(\d)\.decoders\.(\w+)\./, 'decoder.scales.$1.$2.classify.'],
      [
        /^distillation_scale_(\d)\.self_attention\.(\w+)\.(\w+)\.attention\.0\./,
        'interaction.levels.$1.$2.$3.gate.',
      ],
      [/^distillation_scale_(\d)\.self_attention\.(\w+)\.(\w+)\.conv\./, 'interaction.levels.$1.$2.$3.conv.'],
      [/^heads\.(\w+)\.last_layer\.0\./, 'heads.$1.mix.'],
      [/^heads\.(\w+)\.last_layer\.1\./, 'heads.$1.norm.'],
      [/^heads\.(\w+)\.last_layer\.3\./, 'heads.$1.classify.'],
    ]),
  skips: [],
};

export const padNet: AuthorsFormat = {
  name: 'PAD-Net',
  source: SOURCE,
  sign: /^initial_task_prediction_heads\./,
  renames: () =>
    withTasks([
      [/^backbone\.0\./, 'backbone.'],
      [/^backbone\.1\.last_layer\.0\./, 'decoder.0.conv.'],
      [/^backbone\.1\.last_layer\.1\./, 'decoder.0.norm.'],
      [/^initial_task_prediction_heads\.layers\.(\w+)\./, 'decoder.1.$1.blocks.'],
      [/^initial_task_prediction_heads\.conv_out\.(\w+)\./, 'decoder.1.$1.classify.'],
      [
        /^multi_modal_distillation\.self_attention\.(\w+)\.(\w+)\.attention\.0\./,
        'interaction.levels.0.$1.$2.gate.',
      ],
      [/^multi_modal_distillation\.self_attention\.(\w+)\.(\w+)\.conv\./, 'interaction.levels.0.$1.$2.conv.'],
      [/^heads\.(\w+)\.2\./, 'heads.$1.classify.'],
      [/^heads\.(\w+)\.([01])\./, 'heads.$1.blocks.$2.'],
    ]),
  skips: [],
};
