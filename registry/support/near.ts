// "Did you mean": the names nearest to a mistyped one, by Damerau-Levenshtein distance
// (insertions, deletions, substitutions, swaps of neighbours).

/**
 * @param most what is farther apart than this counts as infinitely far, which takes less time to find out
 */
export function editDistance(a: string, b: string, most = Math.max(a.length, b.length)): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  const far = most + 1;
  const row = (): Uint16Array => new Uint16Array(b.length + 1).fill(far);
  let [before, last, next] = [row(), row(), row()];
  for (let j = 0; j <= Math.min(b.length, most); j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    // Outside of this band the distance is larger than `most`.
    const from = Math.max(1, i - most);
    const to = Math.min(b.length, i + most);
    next.fill(far);
    if (i <= most) next[0] = i;
    let least = next[0];
    for (let j = from; j <= to; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let steps = Math.min(last[j] + 1, next[j - 1] + 1, last[j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        steps = Math.min(steps, before[j - 2] + 1);
      next[j] = Math.min(steps, far);
      least = Math.min(least, next[j]);
    }
    // A swap looks two rows back.
    if (least > most && Math.min(...last) > most) return Infinity;
    [before, last, next] = [last, next, before];
  }
  return last[b.length] > most ? Infinity : last[b.length];
}

/** Nobody mistypes a name of this length; comparing takes time that grows with its square. */
const LONGEST = 64;

/** Names that are compared at most. */
const MOST = 500;

/** Names that are listed at most. */
const LISTED = 40;

/** Up to `limit` of `names` that look like `wanted`, nearest first; empty if none is close. */
export function nearestNames(wanted: string, names: Iterable<string>, limit = 3): string[] {
  const query = wanted.toLowerCase();
  if (query.length > LONGEST) return [];
  const allowed = Math.max(1, Math.floor(query.length / 3));
  const near = (length: number) => Math.abs(query.length - length) <= allowed;
  const contains = (other: string) => query.length >= 3 && (other.includes(query) || query.includes(other));
  const likely = where(
    names,
    (name) => name.length <= LONGEST && (near(name.length) || contains(name.toLowerCase())),
  );
  return firstOf(likely, MOST)
    .map((name) => {
      const other = name.toLowerCase();
      const distance = editDistance(query, other, allowed);
      return { name, distance: contains(other) ? Math.min(distance, allowed) : distance };
    })
    .filter((candidate) => candidate.distance <= allowed)
    .sort((x, y) => x.distance - y.distance || x.name.localeCompare(y.name))
    .slice(0, limit)
    .map((candidate) => candidate.name);
}

/** `did you mean "x"?` or, when nothing is near, the list of what exists. */
export function didYouMean(wanted: string, names: Iterable<string>): string {
  const all = [...names].sort();
  const near = nearestNames(wanted, all);
  if (near.length > 0) return `did you mean ${near.map((name) => `"${name}"`).join(' or ')}?`;
  return all.length > 0 ? `known: ${listed(all)}` : 'there is none to choose from';
}

/** The names with commas between, the first of them if they are many. */
export function listed(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(', ');
  return `${names.slice(0, LISTED).join(', ')} and ${names.length - LISTED} more`;
}

function* where<T>(items: Iterable<T>, wanted: (item: T) => boolean): Iterable<T> {
  for (const item of items) if (wanted(item)) yield item;
}

function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    if (first.length === count) break;
    first.push(item);
  }
  return first;
}
