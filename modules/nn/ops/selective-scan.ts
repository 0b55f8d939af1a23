// The selective scan of Mamba (Gu and Dao 2023): a linear recurrence along a sequence, whose step sizes and projections
// depend on the input,
//
//   x[t] = exp(delta[t] a) x[t - 1] + delta[t] u[t] b[t],    y[t] = sum over states of c[t] x[t].
//
// A recorded graph has no loops, and a position of its own for every operator would make it too long. So the sequence
// is cut into chunks that go on side by side: T steps, each of one position of every chunk. A first pass starts all
// chunks from zero and finds what each leaves behind; these are joined chunk by chunk, which gives the state that each
// chunk starts from; a second pass starts from there. All exponents are at most 0 (a is negative, delta positive), so
// nothing can overflow. The gradient runs the same way from the end; it keeps the chunks' first states and computes
// the others again.
//
// Where all states together are few, one step costs few operators and holds what it likes. Where they are many, steps
// are more and smaller, each waits for the one before it, and the backward pass holds the states of a block of steps at
// a time: memory is that of two square roots of T steps.
import * as tf from '../../../registry/tf.js';
import { OPERATIONS, type TensorsOf } from '../../../registry/contracts/operations.js';
import { after } from './after.js';
import { defineOp } from './op.js';
import { holdsWhole, recomputed } from './recomputed.js';

type Inputs = TensorsOf<typeof OPERATIONS.SelectiveScan>;

const op = defineOp(OPERATIONS.SelectiveScan, {
  keep: ['states'],
  composite(inputs, { steps, block }) {
    const scan = new Scan(inputs, steps, block < steps);
    const states = scan.starts();
    let x = states;
    const y = scan.positions.map((t) => {
      x = scan.step(x, t);
      return tf.matMul(scan.c[t].expandDims(2), x).squeeze([2]);
    });
    return [scan.joined(y), states];
  },
  gradient([dy], inputs, { states }, { steps, block }) {
    const { u, delta } = inputs;
    const parts = recomputed(() => new Scan(inputs, steps, block < steps)).gradients(
      dy,
      states as tf.Tensor4D,
      block,
    );
    const { scan, du, dDelta, dA, dB, dC } = parts;
    const [driven, fromDecay] = [scan.joined(du), scan.joined(dDelta)];
    return {
      u: () => driven.mul(delta),
      delta: () => driven.mul(u).add(fromDecay),
      a: () => dA.transpose([0, 2, 1]),
      b: () => scan.joined(dB),
      c: () => scan.joined(dC),
    };
  },
});

/**
 * A scan cut into steps. States are [chunks * rows, sets, states, channels]: channels last, so that what is multiplied
 * out along them is long.
 */
class Scan {
  readonly positions: readonly number[];
  readonly chunks: number;
  readonly a: tf.Tensor3D;
  /** For each step, [chunks * rows, sets, channels or states]. */
  readonly delta: tf.Tensor3D[];
  readonly driven: tf.Tensor3D[];
  readonly b: tf.Tensor3D[];
  readonly c: tf.Tensor3D[];
  readonly #shape: readonly number[];
  readonly #decays: tf.Tensor4D[] = [];

  /** @param isBounded whether decays are made where they are used, after what is used before them */
  constructor(
    { u, delta, a, b, c }: Inputs,
    readonly steps: number,
    readonly isBounded: boolean,
  ) {
    this.#shape = u.shape;
    this.positions = Array.from({ length: steps }, (_, t) => t);
    this.chunks = Math.ceil(u.shape[2] / steps);
    this.a = a.transpose([0, 2, 1]);
    this.delta = this.cut(delta);
    this.driven = this.cut(u.mul(delta));
    this.b = this.cut(b);
    this.c = this.cut(c);
  }

  /** [sets, rows, length, n] as [chunks * rows, sets, n] for each step; zeros after the end change nothing. */
  cut(x: tf.Tensor4D): tf.Tensor3D[] {
    const [sets, rows, length, n] = x.shape;
    const { steps, chunks } = this;
    const rest = chunks * steps - length;
    const whole = rest === 0 ? x : tf.pad(x, [[0, 0], [0, 0], [0, rest], [0, 0]]); // prettier-ignore
    const byStep = whole.reshape([sets, rows, chunks, steps, n]).transpose([3, 2, 1, 0, 4]);
    return tf.unstack(byStep.reshape([steps, chunks * rows, sets, n])) as tf.Tensor3D[];
  }

  /** The inverse of `cut`. */
  joined(parts: readonly tf.Tensor[]): tf.Tensor4D {
    const [sets, rows, length] = this.#shape;
    const n = parts[0].shape.at(-1)!;
    const byStep = tf.stack([...parts]).reshape([this.steps, this.chunks, rows, sets, n]);
    const whole = byStep.transpose([3, 2, 1, 0, 4]).reshape([sets, rows, this.chunks * this.steps, n]);
    return tf.slice(whole, 0, [sets, rows, length, n]) as tf.Tensor4D;
  }

  /** exp(delta a) of step t; in a bounded scan not before `first` is there. */
  decay(t: number, first?: tf.Tensor): tf.Tensor4D {
    const make = (delta: tf.Tensor3D) => delta.expandDims(2).mul(this.a).exp() as tf.Tensor4D;
    if (this.isBounded) return make(first ? after(this.delta[t], [first]) : this.delta[t]);
    return (this.#decays[t] ??= make(this.delta[t]));
  }

  /** State after step t, from the state before it; undefined: zero. */
  step(x: tf.Tensor4D | undefined, t: number): tf.Tensor4D {
    const b = this.isBounded && x ? after(this.b[t], [x]) : this.b[t];
    const input = b.expandDims(3).mul(this.driven[t].expandDims(2)) as tf.Tensor4D;
    return x ? this.decay(t, x).mul(x).add(input) : input;
  }

  /** What chunk after chunk starts from: the states that chunks leave, joined. */
  starts(): tf.Tensor4D {
    const left = this.positions.reduce<tf.Tensor4D | undefined>((x, t) => this.step(x, t), undefined)!;
    return this.#chain(left, false);
  }

  /** exp(a sum of delta) of each chunk: what is left of its first state at its end. */
  #wholeDecay(): tf.Tensor4D {
    return tf.addN(this.delta).expandDims(2).mul(this.a).exp() as tf.Tensor4D;
  }

  /**
   * In front of each chunk (behind it if `backwards`), what all chunks before it (after it) add up to.
   * @param own what each chunk adds, a state for each
   */
  #chain(own: tf.Tensor4D, backwards: boolean): tf.Tensor4D {
    const [count, ...rest] = own.shape;
    const perChunk = (x: tf.Tensor) => tf.unstack(x.reshape([this.chunks, count / this.chunks, ...rest]));
    const [added, decays] = [perChunk(own), perChunk(this.#wholeDecay())];
    const order = Array.from({ length: this.chunks }, (_, i) => (backwards ? this.chunks - 1 - i : i));
    const results: tf.Tensor[] = [];
    let sum: tf.Tensor = tf.zerosLike(added[0]);
    for (const chunk of order) {
      results[chunk] = sum;
      sum = decays[chunk].mul(sum).add(added[chunk]);
    }
    return tf.stack(results).reshape(own.shape);
  }

  /**
   * Gradients of delta u, of delta by way of decays, of a, b and c; those with a sequence step by step.
   * @param dy of y
   * @param states what chunks start from
   * @param block steps whose states are held at a time
   */
  gradients(dy: tf.Tensor, states: tf.Tensor4D, block: number) {
    const upstream = this.cut(dy as tf.Tensor4D);
    // With s[t] the gradient of x[t]:  s[t] = c[t] dy[t] + decay[t + 1] s[t + 1].
    const behind = this.#chain(this.#backToStart(upstream), true);
    const empty = () => Array<tf.Tensor>(this.steps);
    const [du, dDelta, dB, dC] = [empty(), empty(), empty(), empty()];
    let dA: tf.Tensor | undefined;
    let carried: tf.Tensor4D = behind;
    const last = this.steps - (this.steps % block || block);
    const firsts = this.#firstStates(states, block, last);
    // What each step leaves; the next one waits for it, or its states would stay for what is still to be made of them.
    let left: tf.Tensor[] = [behind];
    for (let start = last; start >= 0; start -= block) {
      const end = Math.min(this.steps, start + block);
      const xs = this.#statesOf(firsts[start / block], start, end, left);
      for (let t = end - 1; t >= start; t--) {
        const s = this.#received(upstream, t, left).add(carried) as tf.Tensor4D;
        const [before, x] = [xs[t - start], xs[t - start + 1]];
        dC[t] = tf.matMul(x, upstream[t].expandDims(3)).squeeze([3]);
        dB[t] = tf.matMul(s, this.driven[t].expandDims(3)).squeeze([3]);
        du[t] = tf.matMul(this.b[t].expandDims(2), s).squeeze([2]);
        carried = this.decay(t, s).mul(s);
        const exponent = carried.mul(before);
        dDelta[t] = exponent.mul(this.a).sum(2);
        const share = exponent.mul(this.delta[t].expandDims(2));
        dA = dA ? dA.add(share) : share;
        left = [du[t], dDelta[t], dB[t], dC[t], dA, carried];
      }
    }
    return { scan: this, du, dDelta, dB, dC, dA: dA!.sum(0) };
  }

  /** c dy of step t: what its state receives from the output. */
  #received(upstream: readonly tf.Tensor3D[], t: number, first: readonly tf.Tensor[]): tf.Tensor4D {
    const c = this.isBounded ? after(this.c[t], first) : this.c[t];
    return c.expandDims(3).mul(upstream[t].expandDims(2));
  }

  /** The gradient that each chunk's own outputs give to its first state. */
  #backToStart(upstream: readonly tf.Tensor3D[]): tf.Tensor4D {
    return this.positions.reduceRight<tf.Tensor4D | undefined>((s, t) => {
      const received = this.#received(upstream, t, s ? [s] : []);
      const sum = s ? received.add<tf.Tensor4D>(s) : received;
      return this.decay(t, sum).mul(sum);
    }, undefined)!;
  }

  /** The state in front of each block, the last of which begins at step `last`. */
  #firstStates(states: tf.Tensor4D, block: number, last: number): tf.Tensor4D[] {
    const firsts = [states];
    let x = states;
    for (let t = 0; t < last; t++) {
      x = this.step(x, t);
      if ((t + 1) % block === 0) firsts.push(x);
    }
    return firsts;
  }

  /** The states in front of step `start`, after it, ..., after step `end - 1`. */
  #statesOf(x: tf.Tensor4D, start: number, end: number, first: readonly tf.Tensor[]): tf.Tensor4D[] {
    const compute = (from: tf.Tensor4D) => {
      const xs = [from];
      for (let t = start; t < end; t++) xs.push(this.step(xs.at(-1), t));
      return xs;
    };
    return this.isBounded ? recomputed(() => compute(after(x, first))) : compute(x);
  }
}

/** States (numbers) of a scan up to which it is held whole, and of a step of a larger one: 32 MB and 8 MB. */
const WHOLE = 8 << 20;
const STEP = 2 << 20;

/**
 * @param inputs u and delta, [sets, rows, length, channels], delta positive; a, [sets, channels, states], negative; b and
 *   c, [sets, rows, length, states]. A set is what has its own a: a direction, or a direction of a task. Rows are images.
 * @param whole states up to which a scan is held whole
 * @param step states of a step of a larger scan
 * @returns [sets, rows, length, channels]
 */
export function selectiveScan(
  inputs: Inputs,
  whole = holdsWhole() ? Infinity : WHOLE,
  step = STEP,
): tf.Tensor4D {
  const [sets, rows, length, channels] = inputs.u.shape;
  const states = rows * sets * length * channels * inputs.a.shape[2];
  // A step costs about eight times as many operators as a chunk.
  const balanced = Math.max(1, Math.round(Math.sqrt(length / 8)));
  if (states <= whole) return op(inputs, { steps: balanced, block: balanced })[0] as tf.Tensor4D;
  const steps = Math.min(length, Math.max(balanced, Math.ceil(states / step)));
  return op(inputs, { steps, block: Math.ceil(Math.sqrt(steps)) })[0] as tf.Tensor4D;
}
