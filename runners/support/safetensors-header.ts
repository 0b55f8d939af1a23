// Reads the JSON header of a safetensors file without trusting it: names, types, shapes and offsets must follow the
// format, and the tensors must fill the data without gaps or overlaps. For any bytes the result is a header or a
// sentence that says what is wrong.
import { MtcpError } from '../../registry/errors.js';
import { JsonFormat } from '../../registry/support/json-file.js';

export interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte of the data, and the one after its last. */
  readonly from: number;
  readonly to: number;
}

export interface Header {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

const COUNT = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const FORMAT = new JsonFormat<
  Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> & {
    __metadata__?: Record<string, string>;
  }
>('a header', {
  type: 'object',
  properties: { __metadata__: { type: 'object', additionalProperties: { type: 'string' } } },
  additionalProperties: {
    type: 'object',
    required: ['dtype', 'shape', 'data_offsets'],
    properties: {
      dtype: { type: 'string' },
      shape: { type: 'array', items: COUNT },
      data_offsets: { type: 'array', items: COUNT, minItems: 2, maxItems: 2 },
    },
  },
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * @param bytes the header
 * @param size bytes of the data behind it
 * @param sizes bytes a number, by type
 * @returns the header, or what is wrong with it
 */
export function parseHeader(
  bytes: Uint8Array,
  size: number,
  sizes: Readonly<Record<string, { readonly bytes: number }>>,
): Header | string {
  let text: string;
  let parsed: ReturnType<typeof FORMAT.parse>;
  try {
    text = utf8.decode(bytes);
    parsed = FORMAT.parse(text, 'the header');
  } catch (error) {
    if (MtcpError.is(error)) return `the header ${error.message}`;
    return 'the header is not UTF-8';
  }
  const twice = duplicateKey(text);
  if (twice !== undefined) return `the header names "${twice}" twice`;
  const { __metadata__: metadata = {}, ...stored } = parsed;
  const entries = new Map<string, TensorEntry>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(stored)) {
    const [from, to] = offsets;
    if (!Object.hasOwn(sizes, dtype))
      return `"${name}" has type ${dtype}; read are ${Object.keys(sizes).join(', ')}`;
    const bytes = shape.reduce((product, n) => product * n, sizes[dtype].bytes);
    if (!Number.isSafeInteger(bytes))
      return `"${name}" has more numbers than there can be: ${shape.join('x')}`;
    if (to - from !== bytes) return `"${name}" has ${to - from} bytes for ${shape.join('x') || 'a number'}`;
    if (to > size) return `"${name}" ends ${to - size} bytes behind the end of the file`;
    entries.set(name, { dtype, shape, from, to });
  }
  return layoutProblem(entries, size) ?? { entries, metadata };
}

/** Gaps, overlaps and bytes that belong to nothing. */
function layoutProblem(entries: ReadonlyMap<string, TensorEntry>, size: number): string | undefined {
  let end = 0;
  let before = 'the header';
  const inOrder = [...entries].sort(([, a], [, b]) => a.from - b.from || a.to - b.to);
  for (const [name, { from, to }] of inOrder) {
    if (from < end) return `"${name}" and "${before}" share bytes`;
    if (from > end) return `${from - end} bytes before "${name}" belong to no tensor`;
    [end, before] = [to, name];
  }
  return end < size ? `${size - end} bytes at the end of the file belong to no tensor` : undefined;
}

/** The first duplicate key of an object in a valid JSON text: parsers silently keep the last one. */
export function duplicateKey(json: string): string | undefined {
  /** Keys of the objects around; undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
  for (let match = token.exec(json); match; match = token.exec(json)) {
    const [text] = match;
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(undefined);
    else if (text === '}' || text === ']') open.pop();
    else {
      const keys = open.at(-1);
      let at = token.lastIndex;
      while (at < json.length && json.charCodeAt(at) <= 0x20) at++;
      if (!keys || json[at] !== ':') continue;
      const key = JSON.parse(text) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
