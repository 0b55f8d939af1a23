// The vision transformer's blocks (Dosovitskiy et al. 2021) over token sequences, and what later families add to them:
// layer scale, gated MLPs, rotary positions, keys without a bias. Parameter names are timm's and DINOv2's.
import * as tf from '../../registry/tf.js';
import type { Scope } from '../../registry/index.js';
import { attendHeads, mergeHeads, splitHeads } from './attention.js';
import { constant, truncatedNormal, zeros } from './initializers.js';
import { dropPath, layerNorm, linear } from './layers.js';
import { gelu, silu } from './ops/activations.js';
import { rotate, type Rotation } from './rotary.js';

export const VIT_EPSILON = 1e-6;

export const vitInit = { weightInit: truncatedNormal(0.02), biasInit: zeros };

export interface VitBlockOptions {
  heads: number;
  /** Width between the layers of the MLP. */
  hidden: number;
  dropPath: number;
  epsilon?: number;
  /** Where the factors on both branches start (Touvron et al. 2021); without it branches have none. */
  layerScale?: number;
  /** Two layers with a GELU, or a gated unit (SwiGLU, Shazeer 2020). */
  mlp?: 'gelu' | 'swiglu';
  /** Which of queries, keys and values have a bias: all in one tensor, or queries and values in a tensor each. */
  biases?: 'qkv' | 'qv' | 'none';
  /** Rotates queries and keys by their positions. */
  rotation?: Rotation;
}

/** @param x [batch, tokens, channels] */
export function vitBlock(scope: Scope, x: tf.Tensor3D, options: VitBlockOptions): tf.Tensor3D {
  const { dropPath: drop, epsilon = VIT_EPSILON } = options;
  const attended = selfAttention(scope.at('attn'), layerNorm(scope.at('norm1'), x, epsilon), options);
  const y: tf.Tensor3D = x.add(
    dropPath(scope.at('drop_path1'), scaled(scope.at('ls1'), attended, options), drop),
  );
  const mixed = vitMlp(scope, y, options);
  return y.add(dropPath(scope.at('drop_path2'), scaled(scope.at('ls2'), mixed, options), drop));
}

function scaled(scope: Scope, x: tf.Tensor3D, { layerScale }: VitBlockOptions): tf.Tensor3D {
  if (layerScale === undefined) return x;
  return x.mul(scope.param<tf.Rank.R1>('gamma', [x.shape[2]], constant(layerScale)));
}

function selfAttention(
  scope: Scope,
  x: tf.Tensor3D,
  { heads, biases = 'qkv', rotation }: VitBlockOptions,
): tf.Tensor3D {
  const channels = x.shape[2];
  const packed = linear(scope.at('qkv'), x, 3 * channels, { ...vitInit, bias: biases === 'qkv' });
  let [q, k, v] = tf.split(packed, 3, 2) as tf.Tensor3D[];
  if (biases === 'qv') {
    q = q.add(scope.param<tf.Rank.R1>('q_bias', [channels], zeros));
    v = v.add(scope.param<tf.Rank.R1>('v_bias', [channels], zeros));
  }
  const byHead = (t: tf.Tensor3D) => splitHeads(t, heads);
  const turned = (t: tf.Tensor3D) => (rotation ? rotate(byHead(t), rotation) : byHead(t));
  const mixed = mergeHeads(attendHeads(turned(q), turned(k), byHead(v)));
  return linear(scope.at('proj'), mixed, channels, vitInit);
}

/** The feed-forward half of a block, without the residual; [batch, tokens, channels]. */
export function vitMlp(
  scope: Scope,
  x: tf.Tensor3D,
  { hidden, mlp = 'gelu', epsilon = VIT_EPSILON }: Pick<VitBlockOptions, 'hidden' | 'mlp' | 'epsilon'>,
): tf.Tensor3D {
  const channels = x.shape[2];
  const normalized = layerNorm(scope.at('norm2'), x, epsilon);
  const [first, second] = [scope.at('mlp.fc1'), scope.at('mlp.fc2')];
  if (mlp === 'gelu')
    return linear(second, gelu(linear(first, normalized, hidden, vitInit)), channels, vitInit);
  const both = linear(first, normalized, 2 * hidden, vitInit);
  const [gate, value] = tf.split(both, 2, 2) as tf.Tensor3D[];
  return linear(second, silu(gate).mul<tf.Tensor3D>(value), channels, vitInit);
}
