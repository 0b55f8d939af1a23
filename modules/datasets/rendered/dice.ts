// Choices for the generator, on top of a seeded stream.
import type { RandomStream } from '../../../registry/index.js';

export class Dice {
  constructor(private readonly random: RandomStream) {}

  /** Uniform in [low, high). */
  range(low: number, high: number): number {
    return low + this.random.uniform() * (high - low);
  }

  /** Integer from low to high, both included. */
  integer(low: number, high: number): number {
    return low + this.random.integer(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.integer(items.length)];
  }

  normal(): number {
    return this.random.normal();
  }
}
