// The vision transformer's blocks (Dosovitskiy et al. 2021) over token sequences. Parameter names are timm's.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { attention } from './attention.js';
import { truncatedNormal, zeros } from './initializers.js';
import { dropPath, layerNorm, linear } from './layers.js';
import { gelu } from './ops/activations.js';

export const VIT_EPSILON = 1e-6;

export const vitInit = { weightInit: truncatedNormal(0.02), biasInit: zeros };

export interface VitBlockOptions {
  heads: number;
  mlpRatio: number;
  dropPath: number;
}

/** @param x [batch, tokens, channels] */
export function vitBlock(scope: Scope, x: tf.Tensor3D, options: VitBlockOptions): tf.Tensor3D {
  const { heads, mlpRatio, dropPath: drop } = options;
  const channels = x.shape[2];
  const normalized = layerNorm(scope.at('norm1'), x, VIT_EPSILON);
  const [q, k, v] = tf.split(
    linear(scope.at('attn.qkv'), normalized, 3 * channels, vitInit),
    3,
    2,
  ) as tf.Tensor3D[];
  const attended = linear(scope.at('attn.proj'), attention(q, k, v, heads), channels, vitInit);
  const y = x.add(dropPath(scope.at('drop_path1'), attended, drop)) as tf.Tensor3D;
  return y.add(dropPath(scope.at('drop_path2'), vitMlp(scope, y, mlpRatio), drop));
}

/** The feed-forward half of a block, without the residual; [batch, tokens, channels]. */
export function vitMlp(scope: Scope, x: tf.Tensor3D, mlpRatio: number): tf.Tensor3D {
  const channels = x.shape[2];
  const normalized = layerNorm(scope.at('norm2'), x, VIT_EPSILON);
  const hidden = gelu(linear(scope.at('mlp.fc1'), normalized, channels * mlpRatio, vitInit));
  return linear(scope.at('mlp.fc2'), hidden, channels, vitInit);
}
