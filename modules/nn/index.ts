// Layers, operations and initialisers for the blocks of networks. Components of a user's own import this as
// 'mtcp/nn'. Maps are NHWC; parameters come from a scope and are named by it.
export { attention, mergeHeads, splitHeads } from './attention.js';
export { cbam, type CbamOptions } from './cbam.js';
export { deformableAttention, type DeformableOptions } from './deformable.js';
export * from './initializers.js';
export * from './layers.js';
export { gelu, relu } from './ops/activations.js';
export { softmaxAffinity } from './ops/affinity.js';
export { detach } from './ops/detach.js';
export { averagePool, maxPool } from './pooling.js';
export { resizeBicubic, resizeBilinear, resizeNearest } from './resize.js';
export { checkWindow, patchMerging, swinBlock, swinStage, type SwinBlockOptions } from './swin.js';
export { swinEncoder, type SwinEncoderOptions } from './swin-encoder.js';
