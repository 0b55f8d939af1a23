// The published sizes of ConvNeXt: t to xl of version 1 (Liu et al. 2022), the smaller ones and h of version 2 (Woo et al.
// 2023), which has t, b and l, too.

export const CONVNEXT_VARIANTS = {
  atto: { depths: [2, 2, 6, 2], channels: [40, 80, 160, 320] },
  femto: { depths: [2, 2, 6, 2], channels: [48, 96, 192, 384] },
  pico: { depths: [2, 2, 6, 2], channels: [64, 128, 256, 512] },
  nano: { depths: [2, 2, 8, 2], channels: [80, 160, 320, 640] },
  t: { depths: [3, 3, 9, 3], channels: [96, 192, 384, 768] },
  s: { depths: [3, 3, 27, 3], channels: [96, 192, 384, 768] },
  b: { depths: [3, 3, 27, 3], channels: [128, 256, 512, 1024] },
  l: { depths: [3, 3, 27, 3], channels: [192, 384, 768, 1536] },
  xl: { depths: [3, 3, 27, 3], channels: [256, 512, 1024, 2048] },
  h: { depths: [3, 3, 27, 3], channels: [352, 704, 1408, 2816] },
} as const;
