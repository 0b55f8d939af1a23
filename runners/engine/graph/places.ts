// Places in memory for what parts of a graph hand over to each other (parts.ts), in one block. A place is used again
// once all parts that wrote or read it are certain to be done, in whatever order parts run.
import type { Value } from './ir.js';
import type { Part } from './parts.js';

interface Place {
  offset: number;
  bytes: number;
  /** Parts that write or read what is there at present. */
  users: readonly number[];
}

/** A place this many times as large as a value needs is left for larger ones. */
const LOOSE = 2;

/**
 * @param sizeOf bytes of a value
 * @param align places begin at multiples of it
 * @returns where in a block of `bytes` bytes each value begins
 */
export function placesOf(
  parts: readonly Part[],
  sizeOf: (value: Value) => number,
  align: number,
): { places: ReadonlyMap<Value, number>; bytes: number } {
  const before = ancestorsOf(parts);
  const readers = readersOf(parts);
  const places = new Map<Value, number>();
  const all: Place[] = [];
  let bytes = 0;
  parts.forEach(({ outputs }, part) => {
    const handedOver = new Set([...outputs.values()].filter((value) => readers.has(value)));
    for (const value of [...handedOver].sort((a, b) => sizeOf(b) - sizeOf(a))) {
      const needed = Math.max(1, Math.ceil(sizeOf(value) / align)) * align;
      const free = all.filter(
        (place) =>
          place.bytes >= needed &&
          place.bytes <= LOOSE * needed &&
          place.users.every((user) => before[part].has(user)),
      );
      let place = free.reduce<Place | undefined>(
        (best, other) => (best && best.bytes <= other.bytes ? best : other),
        undefined,
      );
      if (!place) {
        all.push((place = { offset: bytes, bytes: needed, users: [] }));
        bytes += needed;
      }
      place.users = [part, ...readers.get(value)!];
      places.set(value, place.offset);
    }
  });
  return { places, bytes };
}

/** For each part, those that are done when it begins. */
function ancestorsOf(parts: readonly Part[]): ReadonlySet<number>[] {
  const before: Set<number>[] = [];
  for (const { waits } of parts) before.push(new Set(waits.flatMap((part) => [part, ...before[part]])));
  return before;
}

function readersOf(parts: readonly Part[]): ReadonlyMap<Value, number[]> {
  const readers = new Map<Value, number[]>();
  parts.forEach(({ inputs }, part) => {
    for (const { source } of inputs.values())
      if (source.of === 'part') readers.set(source.value, [...(readers.get(source.value) ?? []), part]);
  });
  return readers;
}
