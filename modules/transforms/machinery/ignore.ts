// Data sets store "unknown" in a way of their own for each kind of task, which interpolation and scaling leave alone, such
// as a depth of 0; losses and metrics read IGNORE. This is the step between the two: the last one of a pipeline for what
// is trained on, the only one for the labels that predictions are scored against.
import { IGNORE, kindOf, type LabelMap, type MapData } from '../../../registry/index.js';

/**
 * Labels with every unknown pixel set to IGNORE, by the rule of its kind; the given ones are left as they are.
 * `human_parts` is unknown as a whole where it shows no person (AddIgnoreRegions of SV and ATRC).
 */
export function markInvalid(labels: Record<string, LabelMap>): Record<string, LabelMap> {
  return Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, markMap(name, label)]));
}

/** @param into where marked values may go, which may be the label's own array */
export function markMap(name: string, label: LabelMap, into?: MapData['data']): LabelMap {
  const kind = kindOf(label);
  if (kind.mark) return { ...label, data: kind.mark(label.data, label.channels, into) };
  if (name === 'human_parts' && showsNobody(label))
    return { ...label, data: (into ?? new Uint8Array(label.data.length)).fill(IGNORE) };
  return label;
}

function showsNobody({ data }: LabelMap): boolean {
  for (let i = 0; i < data.length; i++) if (data[i] !== 0 && data[i] !== IGNORE) return false;
  return true;
}
