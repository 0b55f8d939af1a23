// Data sets write "unknown" as 0 in depth and normals, which interpolation and scaling leave alone; losses and
// metrics read IGNORE. This is the step between the two: the last one of a pipeline for what is trained on,
// the only one for the labels that predictions are scored against.
import { IGNORE, type LabelMap } from '../../../registry/index.js';

/**
 * Labels with every unknown pixel set to IGNORE; the given ones are left as they are.
 * - depth: not a positive number
 * - normals: the zero vector, or not finite
 * - `human_parts`: the whole map, if it shows no person (AddIgnoreRegions of SV and ATRC)
 */
export function markInvalid(labels: Record<string, LabelMap>): Record<string, LabelMap> {
  return Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, markMap(name, label)]));
}

function markMap(name: string, label: LabelMap): LabelMap {
  if (label.kind === 'depth') return { ...label, data: markDepth(label.data) };
  if (label.kind === 'normals') return { ...label, data: markNormals(label.data) };
  if (name === 'human_parts' && label.data.every((part: number) => part === 0 || part === IGNORE))
    return { ...label, data: new Uint8Array(label.data.length).fill(IGNORE) };
  return label;
}

function markDepth(depth: LabelMap['data']): Float32Array {
  const out = new Float32Array(depth);
  for (let i = 0; i < out.length; i++) if (!(out[i] > 0 && out[i] < Infinity)) out[i] = IGNORE;
  return out;
}

function markNormals(normals: LabelMap['data']): Float32Array {
  const out = new Float32Array(normals);
  for (let i = 0; i < out.length; i += 3) {
    const squared = out[i] * out[i] + out[i + 1] * out[i + 1] + out[i + 2] * out[i + 2];
    if (!(squared > 0 && squared < Infinity)) out[i] = out[i + 1] = out[i + 2] = IGNORE;
  }
  return out;
}
