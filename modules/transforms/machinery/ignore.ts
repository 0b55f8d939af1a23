// Data sets store "unknown" in a way of their own for each kind of task, which interpolation and scaling leave alone, such
// as a depth of 0; losses and metrics read IGNORE. This is the step between the two: the last one of a pipeline for what
// is trained on, the only one for the labels that predictions are scored against.
import { IGNORE, kindOf, type LabelMap } from '../../../registry/index.js';

/**
 * Labels with every unknown pixel set to IGNORE, by the rule of its kind; the given ones are left as they are.
 * `human_parts` is unknown as a whole where it shows no person (AddIgnoreRegions of SV and ATRC).
 */
export function markInvalid(labels: Record<string, LabelMap>): Record<string, LabelMap> {
  return Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, markMap(name, label)]));
}

function markMap(name: string, label: LabelMap): LabelMap {
  const { mark } = kindOf(label);
  if (mark) return { ...label, data: mark(label.data, label.channels) };
  if (name === 'human_parts' && label.data.every((part: number) => part === 0 || part === IGNORE))
    return { ...label, data: new Uint8Array(label.data.length).fill(IGNORE) };
  return label;
}
