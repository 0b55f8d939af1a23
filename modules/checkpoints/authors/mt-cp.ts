// The released MT-CP, as NYUD-v2's and as PASCAL-Context's network. Parts are named after NYUD-v2's tasks in both, or
// numbered: the second task's intermediate heads are `depth_pred_layers` even where it is human parts.
import type { AuthorsFormat } from '../../../registry/index.js';
import type { Rules } from './names.js';

/** A task's parts: numbered ones have its number, named ones its name or NYUD-v2's. */
interface Part {
  task: string;
  fusion: string;
  intermediate: string;
  head: string;
}

const NYUD: readonly Part[] = [
  { task: 'semseg', fusion: 'fpn_semseg', intermediate: 'sem_pred_layers', head: 'project_semseg' },
  { task: 'depth', fusion: 'fpn_depth', intermediate: 'depth_pred_layers', head: 'project_depth' },
  { task: 'normals', fusion: 'fpn_normal', intermediate: 'normals_pred_layers', head: 'project_normals' },
];
const PASCAL: readonly Part[] = [
  NYUD[0],
  { task: 'human_parts', fusion: 'fpn_human', intermediate: 'depth_pred_layers', head: 'project_human' },
  { task: 'saliency', fusion: 'fpn_normal', intermediate: 'normals_pred_layers', head: 'project_sal' },
];

/** `^a.b.` of `a.b.` */
const at = (prefix: string): string => `^${prefix.replaceAll('.', String.raw`\.`)}`;

/** Members of a part, theirs to ours. */
const members = (from: string, to: string, names: Record<string, string>): Rules =>
  Object.entries(names).map(([theirs, ours]) => [
    new RegExp(`${at(`${from}.${theirs}.`)}`),
    `${to}.${ours}.`,
  ]);

/** An attention of CBAM below `from`. */
const cbam = (from: string, to: string): Rules =>
  members(from, to, {
    'ChannelGate.mlp.1': 'channel.fc1',
    'ChannelGate.mlp.3': 'channel.fc2',
    'SpatialGate.spatial.conv': 'spatial.conv',
    'SpatialGate.spatial.bn': 'spatial.norm',
  });

function decoder(from: string, to: string): Rules {
  const block = String.raw`${at(`${from}.`)}layers\.(\d)\.blocks\.(\d+)\.`;
  const inBlock = (theirs: string, ours: string): Rules[number] => [
    new RegExp(`${block}${theirs}`),
    `${to}.layers.$1.blocks.$2.${ours}`,
  ];
  return [
    inBlock(String.raw`attn\.(query|key|value)\.`, 'attention.self.$3.'),
    inBlock(String.raw`attn\.relative_position_bias_table`, 'attention.self.relative_position_bias_table'),
    inBlock(String.raw`attn\.proj\.`, 'attention.output.dense.'),
    inBlock(String.raw`norm1\.`, 'layernorm_before.'),
    inBlock(String.raw`norm2\.`, 'layernorm_after.'),
    inBlock(String.raw`mlp\.fc1\.`, 'intermediate.dense.'),
    inBlock(String.raw`mlp\.fc2\.`, 'output.dense.'),
    [new RegExp(String.raw`${at(`${from}.`)}layers\.(\d)\.downsample\.`), `${to}.layers.$1.downsample.`],
    [new RegExp(String.raw`${at(`${from}.`)}norm(\d)\.`), `${to}.norms.$1.`],
  ];
}

function coherence(from: string, to: string, [first, second]: readonly string[]): Rules {
  return [
    ...members(from, to, {
      gate1: `gates.${first}`,
      gate2: `gates.${second}`,
      conv1: 'mix',
      cbam_sem_norm: 'norm_main',
      cbam_dep_norm: 'norm_query',
      cbam_dep2_norm: 'norm_key',
      shared_dep2_norm: 'norm_out',
    }),
    ...cbam(`${from}.cbam_sem`, `${to}.cbam_main`),
    ...cbam(`${from}.cbam_dep`, `${to}.cbam_query`),
    ...cbam(`${from}.cbam_dep2`, `${to}.cbam_key`),
    ...cbam(`${from}.shared_dep2`, `${to}.cbam_out`),
  ];
}

const STAGES = 3;

function refinement(from: string, to: string): Rules {
  return Array.from({ length: STAGES }, (_, i): Rules => {
    const [theirs, ours] = [`${from}.spf_modules.${i}`, `${to}.stages.${i}`];
    return [
      ...cbam(`${theirs}.sem_cbam`, `${ours}.cbam_prediction`),
      ...cbam(`${theirs}.dep_cbam`, `${ours}.cbam_feature`),
      ...members(theirs, ours, {
        sem_conv: 'prediction',
        b1: 'prediction_norm',
        dep_conv: 'feature',
        b2: 'feature_norm',
      }),
    ];
  }).flat();
}

/** Two convolutions before the norm, or one: PASCAL-Context's human parts and saliency. */
function intermediate(from: string, to: string, names: readonly string[]): Rules {
  const two = names.some((name) => new RegExp(String.raw`^${from}\.0\.module\.4\.`).test(name));
  const layers = two
    ? { 0: 'conv1', 1: 'conv2', 2: 'norm', 4: 'classify' }
    : { 0: 'conv1', 1: 'norm', 3: 'classify' };
  return Object.entries(layers).map(([theirs, ours]) => [
    new RegExp(String.raw`^${from}\.(\d)\.module\.${theirs}\.`),
    `${to}.predict.$1.${ours}.`,
  ]);
}

function ofPart(part: Part, n: number, parts: readonly Part[], names: readonly string[]): Rules {
  const { task } = part;
  const others = parts.filter((other) => other !== part).map((other) => other.task);
  const suffix = n === 0 ? '' : String(n + 1);
  return [
    ...decoder(`transformer${n + 1}`, `decoder.${task}`),
    [new RegExp(String.raw`^${part.fusion}\.lateral_convs\.(\d)\.`), `fusion.${task}.lateral.$1.`],
    [new RegExp(String.raw`^${part.fusion}\.fpn_convs\.0\.`), `fusion.${task}.output.`],
    ...coherence(`gaaf${suffix}`, `interaction.${task}`, others),
    ...refinement(`trace_back${suffix}`, `refinement.${task}`),
    ...intermediate(part.intermediate, `refinement.${task}`, names),
    ...members(
      part.head,
      `heads.${task}`,
      part.head === 'project_depth'
        ? { 0: 'conv1', 2: 'conv2', 4: 'conv3' }
        : { 0: 'conv1', 1: 'norm', 3: 'conv2' },
    ),
  ];
}

export const mtCp: AuthorsFormat = {
  name: 'MT-CP',
  source: 'github.com/Klodivio355/MT-CP at 08c068e9, models/models_nyud_CL.py and models/models_pascal_CL.py',
  sign: /^trace_back\.spf_modules\./,
  splits: [[/(?<=^transformer\d\..*)\.attn\.qkv\./, ['.attn.query.', '.attn.key.', '.attn.value.']]],
  renames(names) {
    const parts = names.some((name) => name.startsWith('project_depth.')) ? NYUD : PASCAL;
    return [
      // Their `backbone` is an ImageNet Swin that nothing calls, their `backbon` the Mask2Former.
      [/^backbone\./, 'swin.'],
      [/^backbon\./, 'backbone.'],
      ...parts.flatMap((part, n) => ofPart(part, n, parts, names)),
    ];
  },
  skips: [
    [/^swin\./, 'an ImageNet Swin that the released network builds and never calls'],
    [/^(log_var_list|skip_gate|lambda_param|alpha_param)$/, 'is built by the authors and never used'],
    [/^transformer\d\.patch_embed\./, 'embeds patches, and the decoders start from a map'],
    [/\.relative_position_index$/, 'is computed, not learnt'],
    [/^fpn_\w+\.fpn_convs\.[12]\./, 'makes maps that the released network throws away'],
    [/^gaaf\d?\.conv[23]\./, 'is built by the authors and never used'],
    [/^trace_back\d?\.spf_modules\.3\./, 'is the third stage again, and never called'],
    [/^refinement\.\w+\.stages\.2\.feature(_norm)?\./, "makes the last stage's features, which nothing uses"],
  ],
};
