// Seeded random streams. A stream is named by a key such as (seed, 'augment', epoch, sample id). The same key gives
// the same numbers whatever was drawn before. So any step of any run can be repeated alone, resuming needs no stored
// state, and worker threads need no coordination.
export interface RandomStream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Integer in [0, bound). */
  integer(bound: number): number;
}

/** FNV-1a over the key's text, run four times with different offsets to give 128 bits of state. */
function hashKey(key: readonly (string | number)[]): Uint32Array {
  const text = key.map((part) => `${typeof part === 'number' ? '#' : '$'}${part}`).join('\u0000');
  const state = new Uint32Array(4);
  for (let lane = 0; lane < 4; lane++) {
    let hash = (0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b9)) >>> 0;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
    state[lane] = hash;
  }
  return state;
}

/** sfc32 ("small fast counter", Chris Doty-Humphrey, PractRand): 128 bits of state, passes PractRand. */
class Sfc32 implements RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  #spare: number | undefined;

  constructor([a, b, c, counter]: Uint32Array) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = counter;
    for (let i = 0; i < 15; i++) this.#next();
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  uniform(): number {
    return this.#next() / 4294967296;
  }

  /** Marsaglia's polar method; the second value of each pair is kept for the next call. */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r === 0 || r >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(r)) / r);
      this.#spare = y * scale;
      return x * scale;
    }
  }

  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }
}

/** The stream of this key, at its beginning. */
export function randomStream(...key: (string | number)[]): RandomStream {
  return new Sfc32(hashKey(key));
}

/** Fisher-Yates, in place. */
export function shuffle<T>(items: T[], random: RandomStream): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
