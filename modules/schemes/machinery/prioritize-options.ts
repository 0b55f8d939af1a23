// The options that lps and prioritization share.
export const prioritizeProperties = {
  history: {
    type: 'integer',
    minimum: 1,
    default: 1,
    description: 'H of Eq 4: how many epochs back the pace of a task is taken.',
  },
  spread: {
    type: 'number',
    minimum: 0,
    default: 2.5,
    description:
      'kappa of Eq 6: deviations from the mean weight are multiplied by it. The released code has 7.5 on NYUD-v2 and 1.6 on PASCAL-Context.',
  },
  reading: {
    enum: ['mean', 'endpoint', 'geometric', 'window'],
    default: 'mean',
    description:
      'How Eq 4 is read for H > 1: mean of the H ratios, ratio over H epochs, its H-th root, or mean of H epochs over the H before.',
  },
  min_weight: {
    type: ['number', 'null'],
    default: 0,
    description: 'Smallest weight; null allows negative ones, that is gradient ascent on easy tasks.',
  },
  first: {
    enum: ['ones', 'inverse_share'],
    default: 'ones',
    description:
      'Weights after the first epoch, when there is no ratio yet; the released code has inverse_share.',
  },
} as const;
