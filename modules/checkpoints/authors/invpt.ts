// InvPT of Ye and Xu, on a ViT. Inside the decoder tasks are counted, in the order in which the authors' configuration
// lists them; the heads say which of them there are.
import { MtcpError, type AuthorsFormat } from '../../../registry/index.js';
import { taskName, withTasks, type Rules } from './names.js';

const ORDER = ['semseg', 'depth', 'human_parts', 'sal', 'normals', 'edge'];
const HEAD = /^heads\.(\w+)\.linear_pred\.weight$/;

/** Rules for the n-th task. */
function ofTask(task: string, n: number): Rules {
  const stage = String.raw`^multi_task_decoder\.invpt\.invpt_stages\.(\d)`;
  const embed = (index: number, ours: string): Rules[number] => [
    new RegExp(String.raw`${stage}\.patch_embed\.${n}\.proj\.${index}\.`),
    `interaction.stages.$1.embed.${task}.${ours}.`,
  ];
  const query = (theirs: string, ours: string): Rules[number] => [
    new RegExp(String.raw`${stage}\.blocks\.0\.attn\.conv_proj_q\.${n}\.${theirs}\.`),
    `interaction.stages.$1.attn.query.${task}.${ours}.`,
  ];
  return [
    [
      new RegExp(String.raw`^multi_task_decoder\.invpt\.redu_chan\.([1-9]\d*)\.${n}\.`),
      `interaction.stages.$1.widen.${task}.`,
    ],
    embed(1, '0.conv'),
    embed(2, '0.norm'),
    embed(4, '1.conv'),
    embed(5, '1.norm'),
    query('conv', 'conv'),
    query('bn', 'norm'),
  ];
}

const COMMON: Rules = [
  [/^multi_task_decoder\.preliminary_decoder\.(\w+)\.(\d)\.conv\./, 'decoder.$1.blocks.$2.conv.'],
  [/^multi_task_decoder\.preliminary_decoder\.(\w+)\.(\d)\.bn1\./, 'decoder.$1.blocks.$2.norm.'],
  [/^multi_task_decoder\.intermediate_head\.(\w+)\./, 'decoder.$1.classify.'],
  [/^multi_task_decoder\.invpt\.mix_proj\.(\w+)\.0\./, 'decoder.$1.mix.'],
  [/^multi_task_decoder\.scale_embed\.0\./, 'interaction.skips.2.'],
  [/^multi_task_decoder\.scale_embed\.1\./, 'interaction.skips.1.'],
  [/^multi_task_decoder\.invpt\.norm_mts\.(\d)\./, 'interaction.stages.$1.norm.'],
  [/^multi_task_decoder\.invpt\.mt_proj\.(\w+)\.0\./, 'interaction.project.$1.conv.'],
  [/^multi_task_decoder\.invpt\.mt_proj\.(\w+)\.1\./, 'interaction.project.$1.norm.'],
  [
    /^multi_task_decoder\.invpt\.invpt_stages\.([1-9])\.blocks\.0\.attn\.fuse_attn\./,
    'interaction.stages.$1.attn.fuse.',
  ],
  [
    /^multi_task_decoder\.invpt\.invpt_stages\.(\d)\.blocks\.0\.attn\.proj_(\w)\./,
    'interaction.stages.$1.attn.$2.',
  ],
  [/^multi_task_decoder\.invpt\.invpt_stages\.(\d)\.blocks\.0\./, 'interaction.stages.$1.'],
  [/^heads\.(\w+)\.linear_pred\./, 'heads.$1.classify.'],
];

export const invpt: AuthorsFormat = {
  name: 'InvPT',
  source:
    'github.com/prismformore/Multi-Task-Transformer at 870c6be100b95d44ffa0a9591775dd3faa2d5664, InvPT/',
  sign: /^multi_task_decoder\.invpt\./,
  renames(names) {
    const present = names.flatMap((name) => HEAD.exec(name)?.[1] ?? []);
    const strange = present.find((task) => !ORDER.includes(task));
    if (strange !== undefined)
      throw new MtcpError('weights', `it has a task "${strange}", and which number that is nobody says`, {
        hint: `the authors' configuration counts ${ORDER.join(', ')}`,
      });
    const tasks = ORDER.filter((task) => present.includes(task)).map(taskName);
    return [...tasks.flatMap(ofTask), ...withTasks(COMMON)];
  },
  skips: [
    [
      /^multi_task_decoder\.(scale_embed\.2|invpt\.norm_mt|invpt\.redu_chan\.0|invpt\.invpt_stages\.0\.blocks\.0\.attn\.fuse_attn)\./,
      'is built by the authors and never used',
    ],
  ],
};
