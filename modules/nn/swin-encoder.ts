// The Swin transformer as an image encoder: patch embedding and four stages, each output normalised on its own
// as dense prediction needs it. Parameter names are those of transformers' Swin backbone.
import type { FeatureMap, Pyramid, Scope } from '../../registry/index.js';
import { normal, zeros } from './initializers.js';
import { conv2d, layerNorm } from './layers.js';
import { padToMultiple } from './pad.js';
import { checkWindow, patchMerging, swinStage } from './swin.js';

export interface SwinEncoderOptions {
  /** Channels of the first stage; each later one has twice as many. */
  embed: number;
  depths: readonly number[];
  heads: readonly number[];
  window: number;
  mlp_ratio: number;
  /** Drop-path probability of the last block; earlier ones rise to it linearly. */
  drop_path: number;
}

const PATCH = 4;
const weightInit = normal(0.02);

/**
 * @param image [batch, height, width, 3]; padded to whole patches of 4x4
 * @returns one map for each stage, [batch, rows, columns, channels]: strides 4, 8, 16, 32, channels embed, 2
 * embed, 4 embed, ...
 * @throws MtcpError `component` if the window is larger than the first map
 */
export function swinEncoder(scope: Scope, image: FeatureMap, options: SwinEncoderOptions): Pyramid {
  const { embed, depths, heads, window, mlp_ratio: mlpRatio, drop_path: dropPath } = options;
  const padded = padToMultiple(image.data, PATCH);
  const embeddings = scope.at('embeddings');
  const patches = conv2d(embeddings.at('patch_embeddings.projection'), padded, embed, {
    kernel: PATCH,
    stride: PATCH,
    weightInit,
    biasInit: zeros,
  });
  let x = layerNorm(embeddings.at('norm'), patches);

  checkWindow(window, x, 'encoder.window');
  const blocks = depths.reduce((sum, depth) => sum + depth, 0);
  const maps: FeatureMap[] = [];
  let before = 0;
  depths.forEach((depth, i) => {
    const stage = scope.at(`encoder.layers.${i}`);
    const dropPaths = Array.from(
      { length: depth },
      (_, j) => (dropPath * (before + j)) / Math.max(1, blocks - 1),
    );
    before += depth;
    x = swinStage(stage, x, { depth, heads: heads[i], window, mlpRatio, dropPaths, weightInit });
    maps.push({
      data: layerNorm(scope.at(`hidden_states_norms.stage${i + 1}`), x),
      stride: PATCH * 2 ** i * image.stride,
    });
    if (i < depths.length - 1) x = patchMerging(stage.at('downsample'), x, weightInit);
  });
  return maps;
}
