// Splits a state of plain JSON and Float32Arrays for a checkpoint and joins it again: arrays go into a safetensors
// file, the rest into state.json.
import { isPlainObject } from '../../registry/options.js';
import type { HostTensor } from '../support/host-tensor.js';

const PLACE = '$tensor';

/** A state without its Float32Arrays, and those by where they were. */
export function takeArrays(state: unknown): { rest: unknown; arrays: Map<string, HostTensor> } {
  const arrays = new Map<string, HostTensor>();
  const take = (value: unknown, path: string): unknown => {
    if (value instanceof Float32Array) {
      arrays.set(path, { dtype: 'float32', shape: [value.length], data: value });
      return { [PLACE]: path };
    }
    if (Array.isArray(value)) return value.map((part, i) => take(part, `${path}/${i}`));
    if (!isPlainObject(value)) return value;
    return mapValues(value, (part, key) => take(part, path === '' ? key : `${path}/${key}`));
  };
  return { rest: take(state, ''), arrays };
}

export function putArrays(state: unknown, arrays: ReadonlyMap<string, HostTensor>): unknown {
  if (Array.isArray(state)) return state.map((part) => putArrays(part, arrays));
  if (!isPlainObject(state)) return state;
  if (PLACE in state) return Float32Array.from(arrays.get(String(state[PLACE]))!.data);
  return mapValues(state, (part) => putArrays(part, arrays));
}

function mapValues(record: Record<string, unknown>, f: (value: unknown, key: string) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value, key)]));
}
