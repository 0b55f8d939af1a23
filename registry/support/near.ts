// "Did you mean": the names nearest to a mistyped one, by Damerau-Levenshtein distance
// (insertions, deletions, substitutions, swaps of neighbours).

export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  for (let j = 0; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
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
  return firstOf(names, MOST)
    .filter((name) => name.length <= LONGEST)
    .map((name) => {
      const other = name.toLowerCase();
      const contained = query.length >= 3 && (other.includes(query) || query.includes(other));
      const far = Math.abs(query.length - other.length) > allowed;
      const distance = far ? Infinity : editDistance(query, other);
      return { name, distance: contained ? Math.min(distance, allowed) : distance };
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

function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    if (first.length === count) break;
    first.push(item);
  }
  return first;
}
