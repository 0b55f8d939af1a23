// The server's limits on names, values and sizes of requests (mlflow/utils/validation.py; the strictest of the
// documented releases since 2.0).
import { createHash } from 'node:crypto';
import type { Batch, Metric, Param, Tag } from './types.js';

export const LIMITS = {
  metricsPerBatch: 1000,
  paramsPerBatch: 100,
  tagsPerBatch: 100,
  entitiesPerBatch: 1000,
  /** Bytes of a request; a little less than the server's megabyte. */
  bytesPerBatch: 950_000,
  key: 250,
  param: 6000,
  modelParam: 500,
  tag: 5000,
  experiment: 500,
  datasetName: 500,
  datasetDigest: 36,
  datasetSource: 65_535,
  datasetProfile: 16_777_215,
} as const;

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/<\s*=?\s*(?=[\d.])/g, 'within_'],
  [/>\s*=?\s*(?=[\d.])/g, 'beyond_'],
  [/%/g, 'percent'],
  [/&/g, 'and'],
];

/**
 * A name as MLflow accepts it for metrics and params: letters (of any script), digits, `_ - . / space`, and a path
 * that means itself. `<11.25` becomes `within_11.25`; what else is not allowed becomes `_`.
 */
export function cleanKey(name: string): string {
  const worded = WORDS.reduce((text, [pattern, word]) => text.replace(pattern, word), name.normalize('NFC'));
  const parts = worded
    .replace(/[^\p{L}\p{N}_\-./ ]/gu, '_')
    .split('/')
    .map((part) => (/^\.*$/.test(part) ? '_'.repeat(part.length) : part))
    .filter((part) => part !== '');
  return shorten(parts.join('/') || '_', LIMITS.key);
}

/** At most `limit` characters: the beginning, and a digest of the whole so that different texts stay different. */
export function shorten(text: string, limit: number): string {
  const characters = [...text];
  if (characters.length <= limit) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${characters.slice(0, limit - 15).join('')}...${digest}`;
}

/** A metric as JSON can carry it. */
export function encodeMetric({ value, ...rest }: Metric): object {
  return { ...rest, value: Number.isFinite(value) ? value : String(value) };
}

/** And back: how servers write what is not finite. */
export function decodeNumber(value: unknown): number {
  return typeof value === 'number' ? value : Number(value);
}

/** Requests that each keep all limits, in the order given: params, tags, metrics. */
export function splitBatch({ metrics = [], params = [], tags = [] }: Batch): Required<Batch>[] {
  const batches: { metrics: Metric[]; params: Param[]; tags: Tag[] }[] = [];
  let bytes = 0;
  const current = (kind: keyof Batch, limit: number, size: number) => {
    const last = batches.at(-1);
    const entities = last ? last.metrics.length + last.params.length + last.tags.length : 0;
    const full =
      !last ||
      last[kind].length >= limit ||
      entities >= LIMITS.entitiesPerBatch ||
      bytes + size > LIMITS.bytesPerBatch;
    if (full) {
      batches.push({ metrics: [], params: [], tags: [] });
      bytes = 100;
    }
    bytes += size;
    return batches.at(-1)!;
  };
  const sizeOf = (item: object) => Buffer.byteLength(JSON.stringify(item)) + 1;
  for (const param of params) current('params', LIMITS.paramsPerBatch, sizeOf(param)).params.push(param);
  for (const tag of tags) current('tags', LIMITS.tagsPerBatch, sizeOf(tag)).tags.push(tag);
  for (const metric of metrics)
    current('metrics', LIMITS.metricsPerBatch, sizeOf(encodeMetric(metric))).metrics.push(metric);
  return batches;
}
