// The published sizes of DINOv2 (Oquab et al. 2024) and DINOv3 (Siméoni et al. 2025). `hidden` is the width of the gated
// unit's halves, or between the two layers of a plain MLP.

export const DINOV2_VARIANTS = {
  s: { channels: 384, depth: 12, heads: 6, hidden: 1536, mlp: 'gelu' },
  b: { channels: 768, depth: 12, heads: 12, hidden: 3072, mlp: 'gelu' },
  l: { channels: 1024, depth: 24, heads: 16, hidden: 4096, mlp: 'gelu' },
  g: { channels: 1536, depth: 40, heads: 24, hidden: 4096, mlp: 'swiglu' },
} as const;

export const DINOV3_VARIANTS = {
  s: { channels: 384, depth: 12, heads: 6, hidden: 1536, mlp: 'gelu', biases: 'qv' },
  's+': { channels: 384, depth: 12, heads: 6, hidden: 1536, mlp: 'swiglu', biases: 'qv' },
  b: { channels: 768, depth: 12, heads: 12, hidden: 3072, mlp: 'gelu', biases: 'qv' },
  l: { channels: 1024, depth: 24, heads: 16, hidden: 4096, mlp: 'gelu', biases: 'qv' },
  'h+': { channels: 1280, depth: 32, heads: 20, hidden: 5120, mlp: 'swiglu', biases: 'qv' },
  '7b': { channels: 4096, depth: 40, heads: 32, hidden: 8192, mlp: 'swiglu', biases: 'none' },
} as const;
