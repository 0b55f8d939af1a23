// Checks the server's answers: for each call, the schema of the fields that the client uses (others are ignored), and
// how many bytes of a body are read. An answer of another shape is a fault of the server, so the code that uses an
// answer never finds null instead of a run.
import { Ajv, type ValidateFunction } from 'ajv';

/** Bytes of an answer that are read; a page of a thousand runs stays far below. */
export const LONGEST_ANSWER = 64 * 2 ** 20;
/** Bytes of the body of an error; it is cut there. */
export const LONGEST_REFUSAL = 64 * 2 ** 10;

const text = { type: 'string', minLength: 1 } as const;
const object = (properties: object, required: readonly string[]) =>
  ({ type: 'object', properties, required }) as const;
const listOf = (items: object) => ({ type: ['array', 'null'], items }) as const;
const PAGE = { next_page_token: { type: ['string', 'null'] } } as const;

const pair = object({ key: { type: 'string' }, value: {} }, ['key']);
const experiment = object(
  { experiment_id: text, name: { type: 'string' }, lifecycle_stage: { type: 'string' } },
  ['experiment_id'],
);
const run = object(
  {
    info: object({ run_id: text, experiment_id: text, artifact_uri: { type: 'string' } }, [
      'run_id',
      'artifact_uri',
    ]),
    data: {
      type: ['object', 'null'],
      properties: { metrics: listOf(pair), params: listOf(pair), tags: listOf(pair) },
    },
  },
  ['info'],
);
const model = object({ info: object({ model_id: text, artifact_uri: { type: 'string' } }, ['model_id']) }, [
  'info',
]);
const version = object({ name: text, version: {} }, ['name', 'version']);
const part = object(
  { url: text, part_number: { type: 'integer', minimum: 1 }, headers: { type: ['object', 'null'] } },
  ['url', 'part_number'],
);

/** By what the answer holds. */
export const ANSWERS = {
  /** Of calls that only do something. */
  done: object({}, []),
  experiment: object({ experiment }, ['experiment']),
  created: object({ experiment_id: text }, ['experiment_id']),
  run: object({ run }, ['run']),
  model: object({ model }, ['model']),
  version: object({ model_version: version }, ['model_version']),
  experiments: object({ ...PAGE, experiments: listOf(experiment) }, []),
  runs: object({ ...PAGE, runs: listOf(run) }, []),
  models: object({ ...PAGE, models: listOf(model) }, []),
  versions: object({ ...PAGE, model_versions: listOf(version) }, []),
  history: object({ ...PAGE, metrics: listOf(pair) }, []),
  files: object({ files: listOf(object({ path: { type: 'string' } }, ['path'])) }, []),
  parts: object({ upload_id: text, credentials: { type: 'array', items: part } }, [
    'upload_id',
    'credentials',
  ]),
} as const;
export type Answer = keyof typeof ANSWERS;

const ajv = new Ajv({ allowUnionTypes: true });
const compiled = new Map<Answer, ValidateFunction>();

/** @returns what is wrong with an answer, or undefined */
export function misfit(answer: Answer, value: unknown): string | undefined {
  let validate = compiled.get(answer);
  if (!validate) compiled.set(answer, (validate = ajv.compile(ANSWERS[answer])));
  if (validate(value)) return undefined;
  const [{ instancePath, message }] = validate.errors!;
  return `${instancePath.slice(1).replaceAll('/', '.') || 'it'} ${message}`;
}

/**
 * The text of a body, up to `limit` bytes of it.
 * @returns undefined in place of the rest if there is more
 */
export async function boundedText(
  response: Response,
  limit: number,
): Promise<{ text: string; whole: boolean }> {
  const reader = response.body?.getReader();
  if (!reader) return { text: '', whole: true };
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let whole = true;
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
    if (done) break;
    pieces.push(value!.subarray(0, limit - bytes));
    bytes += value!.length;
    if (bytes > limit) {
      whole = false;
      // The server may send without end.
      await reader.cancel().catch(() => {});
      break;
    }
  }
  return { text: Buffer.concat(pieces).toString('utf8'), whole };
}
