// Which rows depend on which: finds cycles and the lengths of chains, in time proportional to the number of
// dependencies. A file may have thousands of rows.

export class DependencyGraph {
  readonly #next: ReadonlyMap<string, readonly string[]>;
  /** Row to a number that rows on a common circle share. */
  readonly #circle = new Map<string, number>();
  /** Rows on the longest way that begins at a row; of circles, without going round. */
  readonly #depth = new Map<string, number>();

  /** @param edges row to the rows that it depends on, all of which are rows of the graph */
  constructor(edges: readonly (readonly [string, readonly string[]])[]) {
    this.#next = new Map(edges);
    this.#findCircles();
  }

  /** How many rows lie on the longest chain from here, this one included. */
  depth(row: string): number {
    return this.#depth.get(row) ?? 0;
  }

  /** The rows on a shortest way from `to` back to `from`, `to` first; undefined if there is none. */
  wayBack(from: string, to: string): string[] | undefined {
    if (from === to) return [to];
    if (this.#circle.get(from) !== this.#circle.get(to)) return undefined;
    const before = new Map<string, string>();
    const queue = [to];
    for (const row of queue)
      for (const next of this.#next.get(row) ?? []) {
        if (next === to || before.has(next)) continue;
        before.set(next, row);
        queue.push(next);
        if (next !== from) continue;
        const way = [from];
        while (way.at(-1) !== to) way.push(before.get(way.at(-1)!)!);
        return way.reverse();
      }
    return undefined;
  }

  /** Tarjan's algorithm with a stack of its own; it leaves a row when all that it depends on has been left. */
  #findCircles(): void {
    const order = new Map<string, number>();
    const low = new Map<string, number>();
    const open: string[] = [];
    const isOpen = new Set<string>();
    for (const start of this.#next.keys()) {
      if (order.has(start)) continue;
      const visits = [{ row: start, at: 0 }];
      while (visits.length > 0) {
        const visit = visits.at(-1)!;
        const { row } = visit;
        if (visit.at === 0) {
          order.set(row, order.size);
          low.set(row, order.get(row)!);
          open.push(row);
          isOpen.add(row);
        }
        const next = this.#next.get(row)![visit.at++];
        if (next !== undefined) {
          if (!order.has(next)) visits.push({ row: next, at: 0 });
          else if (isOpen.has(next)) low.set(row, Math.min(low.get(row)!, order.get(next)!));
          continue;
        }
        visits.pop();
        const above = visits.at(-1);
        if (above) low.set(above.row, Math.min(low.get(above.row)!, low.get(row)!));
        this.#leave(row);
        if (low.get(row) !== order.get(row)) continue;
        for (let member = open.pop()!; ; member = open.pop()!) {
          isOpen.delete(member);
          this.#circle.set(member, order.get(row)!);
          if (member === row) break;
        }
      }
    }
  }

  #leave(row: string): void {
    const below = this.#next.get(row)!.map((next) => this.#depth.get(next) ?? 0);
    this.#depth.set(row, 1 + below.reduce((a, b) => Math.max(a, b), 0));
  }
}
