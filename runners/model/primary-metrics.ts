// The primary metric of each task, which tables show. It is read from the metric component; no network is built.
import { createTrialContainer } from '../../registry/container.js';
import type { Metric, MetricInfo } from '../../registry/contracts/learning.js';
import type { TrialSpec } from '../config/index.js';

/** The number of a metric component that tables and delta-m use. */
export const primaryOf = (metric: Metric): MetricInfo =>
  metric.values.find(({ primary }) => primary) ?? metric.values[0];

/** `task` -> every value of its metric, over all trials. */
export function metricValues(trials: readonly TrialSpec[]): Map<string, readonly MetricInfo[]> {
  const components = createTrialContainer([]);
  const values = new Map<string, readonly MetricInfo[]>();
  for (const { config } of trials)
    for (const [task, { metric }] of Object.entries(config.tasks))
      if (!values.has(task)) values.set(task, components.create('metric', metric).values);
  return values;
}

/** `task` -> its primary metric, over all trials. */
export function primaryMetrics(trials: readonly TrialSpec[]): Map<string, MetricInfo> {
  const components = createTrialContainer([]);
  const metrics = new Map<string, MetricInfo>();
  for (const { config } of trials)
    for (const [task, { metric }] of Object.entries(config.tasks))
      metrics.set(task, primaryOf(components.create('metric', metric)));
  return metrics;
}
