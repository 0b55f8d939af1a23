// The published sizes of SegFormer's encoder (Xie et al. 2021, table 6).

const WIDE = [64, 128, 320, 512] as const;

export const MIT_VARIANTS = {
  b0: { depths: [2, 2, 2, 2], channels: [32, 64, 160, 256] },
  b1: { depths: [2, 2, 2, 2], channels: WIDE },
  b2: { depths: [3, 4, 6, 3], channels: WIDE },
  b3: { depths: [3, 4, 18, 3], channels: WIDE },
  b4: { depths: [3, 8, 27, 3], channels: WIDE },
  b5: { depths: [3, 6, 40, 3], channels: WIDE },
} as const;

/** Attention heads of each stage, and by how much keys and values are fewer along each axis: of all sizes. */
export const MIT_HEADS = [1, 2, 5, 8] as const;
export const MIT_REDUCTIONS = [8, 4, 2, 1] as const;
