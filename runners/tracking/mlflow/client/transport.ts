// Requests to one server: authentication, timeouts, and repetition after temporary failures. A request declares
// whether it may be carried out twice. If not, it is repeated only if it was certainly not carried out.
import { setTimeout as sleep } from 'node:timers/promises';
import { MtcpError } from '../../../../registry/errors.js';
import { Redactor, type Connection } from './connection.js';
import { boundedText, LONGEST_ANSWER, LONGEST_REFUSAL, misfit, type Answer } from './answers.js';
import { garbled, MlflowError, nonsense, refused, unanswered, type Sent } from './errors.js';
import { fetchFor, proxyVariables, type Body, type Fetch } from './fetch.js';

export interface TransportOptions {
  /** Instead of the runtime's. */
  fetch?: Fetch;
  /** Ends requests and waits early. */
  signal?: AbortSignal;
  /** Called when more of an upload is through than ever before. */
  moved?(): void;
}

export interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root, such as /api/2.0/mlflow/runs/create. */
  path: string;
  query?: Record<string, string | number | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is; made again for every try. */
  body?: { make(): Body; bytes: number; type: string };
  /** Whether doing it twice equals doing it once. */
  repeatable: boolean;
}

const DEFAULTS = { timeout: 120, retries: 4, backoff: 1 };
/** Longest wait before another try, in seconds. */
const LONGEST_WAIT = 120;
/** An upload that is slower than this, in bytes a second, counts as stuck. */
const SLOWEST = 64 * 1024;

export class Transport {
  readonly redactor: Redactor;
  readonly #connection: Connection & typeof DEFAULTS;
  readonly #headers: Record<string, string>;
  readonly #login: Sent['login'];
  readonly #furthest = new Map<string, number>();
  #fetch: Promise<Fetch> | undefined;
  #foreign: Promise<Fetch> | undefined;

  constructor(
    connection: Connection,
    readonly options: TransportOptions = {},
  ) {
    this.#connection = { ...DEFAULTS, ...connection };
    this.redactor = new Redactor(connection);
    const { username, password, token } = connection;
    // The order of MLflow's own client.
    const basic = username && (password || !token);
    this.#login = basic ? 'basic' : token ? 'token' : 'none';
    this.#headers = basic
      ? { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` }
      : token
        ? { authorization: `Bearer ${token}` }
        : {};
  }

  get uri(): string {
    return this.#connection.uri;
  }

  /**
   * The parsed answer.
   * @param answer what it has to hold
   * @throws MlflowError
   */
  json<T>(request: Request, answer: Answer): Promise<T> {
    return this.#send(request, async (response, sent) => {
      const text = await this.#text(response, sent);
      let value: unknown;
      try {
        value = text === '' ? {} : JSON.parse(text);
      } catch {
        throw garbled(response.status, response.headers.get('content-type'), text, sent);
      }
      const fault = misfit(answer, value);
      if (fault) throw nonsense(response.status, fault, sent);
      return value as T;
    });
  }

  /** The answer as text. @throws MlflowError */
  text(request: Request): Promise<string> {
    return this.#send(request, (response, sent) => this.#text(response, sent));
  }

  async #text(response: Response, sent: Sent): Promise<string> {
    const { text, whole } = await boundedText(response, LONGEST_ANSWER);
    if (!whole) throw nonsense(response.status, `it is longer than ${LONGEST_ANSWER / 2 ** 20} MB`, sent);
    return text;
  }

  /** Says how much of an upload is through; a repeated one counts when it is further than the one before. */
  uploaded(what: string, amount: number): void {
    if (amount <= (this.#furthest.get(what) ?? 0)) return;
    this.#furthest.set(what, amount);
    this.options.moved?.();
  }

  /** The answer as it is; its faults show when it is read. @throws MlflowError */
  raw(request: Request): Promise<Response> {
    return this.#send(request, (response) => Promise.resolve(response));
  }

  /** An address of someone else: no login and no certificate of ours goes there. */
  async foreign(url: string, init: RequestInit): Promise<Response> {
    const { timeout } = this.#connection;
    const limit = AbortSignal.timeout(Math.ceil(timeout * 1000));
    const { signal } = this.options;
    const fetch = this.options.fetch ?? (await (this.#foreign ??= fetchFor({ uri: '' })));
    return fetch(url, {
      ...init,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  }

  #fetching(): Promise<Fetch> {
    const { fetch } = this.options;
    return (this.#fetch ??= fetch ? Promise.resolve(fetch) : fetchFor(this.#connection));
  }

  async #send<T>(request: Request, read: (response: Response, sent: Sent) => Promise<T>): Promise<T> {
    const { retries, backoff } = this.#connection;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(request, read);
      } catch (error) {
        if (!MlflowError.is(error)) throw error;
        const mayRepeat = error.passing && (request.repeatable || error.certain);
        if (!mayRepeat || attempt >= retries || this.options.signal?.aborted) throw error;
        // Clients that failed together shall not come back together.
        const wait = Math.max(error.retryAfter ?? 0, backoff * 2 ** attempt * (0.75 + Math.random() / 2));
        await sleep(Math.min(wait, LONGEST_WAIT) * 1000, undefined, { signal: this.options.signal }).catch(
          () => {
            throw error;
          },
        );
      }
    }
  }

  async #once<T>(request: Request, read: (response: Response, sent: Sent) => Promise<T>): Promise<T> {
    const { method, path, query, json, body } = request;
    const { uri } = this.#connection;
    const sent: Sent = {
      where: `${method} ${uri}${path}`,
      host: new URL(uri).host,
      login: this.#login,
      proxies: this.options.fetch ? [] : proxyVariables(),
    };
    const seconds = this.#connection.timeout + Math.ceil((body?.bytes ?? 0) / SLOWEST);
    const type = body?.type ?? (json === undefined ? undefined : 'application/json');
    const timeout = AbortSignal.timeout(Math.ceil(seconds * 1000));
    const { signal } = this.options;
    try {
      const fetch = await this.#fetching();
      const response = await fetch(uri + path + queryOf(query), {
        method,
        headers: {
          ...this.#headers,
          ...(type && { 'content-type': type }),
          ...(body && { 'content-length': String(body.bytes) }),
        },
        body: body?.make() ?? (json === undefined ? undefined : JSON.stringify(json)),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        // A fetch that may have to follow a redirect keeps the whole body in memory for it; this one streams.
        ...(body && { duplex: 'half' as const, redirect: 'error' as const, window: null }),
      });
      if (!response.ok) {
        const { text } = await boundedText(response, LONGEST_REFUSAL);
        throw refused(response.status, response.headers, text, sent);
      }
      return await read(response, sent);
    } catch (error) {
      throw this.#redacted(MtcpError.is(error) ? error : unanswered(error, sent, seconds));
    }
  }

  /** A server may repeat credentials in its message. */
  #redacted(error: MtcpError): MtcpError {
    const message = this.redactor.text(error.message);
    if (!MlflowError.is(error) || message === error.message) return error;
    return new MlflowError(message, error, { where: error.where, hint: error.hint });
  }
}

function queryOf(query: Request['query']): string {
  const given = Object.entries(query ?? {}).filter(
    (pair): pair is [string, string | number] => pair[1] !== undefined,
  );
  return given.length > 0
    ? `?${new URLSearchParams(Object.fromEntries(given.map(([key, value]) => [key, String(value)])))}`
    : '';
}
