// What disks, copies and editors do to files, from a seed: bits that flip, ends that are missing, blocks that are
// zeros or twice there, and in texts values that are something else than they were.
import type { RandomStream } from '../../../registry/random.js';

const WORDS = [
  'null',
  '-1',
  '1e999',
  '-0',
  '0.5',
  '1e-400',
  '9007199254740993',
  '99999999999999999999',
  '""',
  '"x"',
  '[]',
  '{}',
  'true',
  '[[[[[[[[[[',
  '{"a":',
  '\u0000',
  '\ufeff',
  '"__proto__":{}',
  '../../etc/passwd',
  'NaN',
  ',',
  ':',
  '\n',
];

const below = (random: RandomStream, n: number): number => random.integer(Math.max(1, n));

type Damage = (bytes: Buffer, random: RandomStream) => Buffer;

const cut = (bytes: Buffer, from: number, to: number, between: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([bytes.subarray(0, from), between, bytes.subarray(to)]);

/** A position among the first bytes half of the time, because headers are there. */
function place(bytes: Buffer, random: RandomStream): number {
  return below(random, random.uniform() < 0.5 ? Math.min(bytes.length, 256) : bytes.length);
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit': (bytes, random) => {
    const at = place(bytes, random);
    const out = Buffer.from(bytes);
    out[at] ^= 1 << below(random, 8);
    return out;
  },
  'a byte': (bytes, random) => {
    const out = Buffer.from(bytes);
    out[place(bytes, random)] = below(random, 256);
    return out;
  },
  'the end': (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  'more at the end': (bytes, random) =>
    Buffer.concat([bytes, Buffer.alloc(1 + below(random, 64), below(random, 256))]),
  zeros: (bytes, random) => {
    const at = place(bytes, random);
    return Buffer.from(bytes).fill(0, at, Math.min(bytes.length, at + 1 + below(random, 64)));
  },
  'a block twice': (bytes, random) => {
    const at = place(bytes, random);
    return cut(bytes, at, at, bytes.subarray(at, at + 1 + below(random, 64)));
  },
  'a block away': (bytes, random) => {
    const at = place(bytes, random);
    return cut(bytes, at, at + 1 + below(random, 64));
  },
  'a number of four bytes': (bytes, random) => {
    const out = Buffer.from(bytes);
    if (out.length >= 4)
      out.writeUInt32LE(
        [0, 1, 0x7fffffff, 0x80000000, 0xffffffff][below(random, 5)],
        Math.min(place(bytes, random), out.length - 4),
      );
    return out;
  },
  'a value': (bytes, random) => {
    const text = bytes.toString('latin1');
    const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g)];
    if (values.length === 0) return bytes;
    const value = values[below(random, values.length)];
    const word = Buffer.from(WORDS[below(random, WORDS.length)]);
    return cut(bytes, value.index, value.index + value[0].length, word);
  },
  'a line twice, or away': (bytes, random) => {
    const lines = bytes.toString('latin1').split('\n');
    lines.splice(below(random, lines.length), below(random, 2), lines[below(random, lines.length)]);
    return Buffer.from(lines.join('\n'), 'latin1');
  },
  everything: (bytes, random) => Buffer.from(Array.from(bytes, () => below(random, 256))),
};

/** One damage or a few. @returns the bytes and what was done */
export function damaged(bytes: Buffer, random: RandomStream): { bytes: Buffer; what: string } {
  const names = Object.keys(DAMAGES);
  const what: string[] = [];
  let out = bytes;
  for (let left = 1 + below(random, 2); left > 0 && out.length > 0; left--) {
    const name = names[below(random, names.length)];
    out = DAMAGES[name](out, random);
    what.push(name);
  }
  return { bytes: out, what: what.join(', ') };
}
