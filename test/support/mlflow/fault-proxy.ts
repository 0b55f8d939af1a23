// Stands between a client and a server and breaks things on purpose: before a request reaches the server (which then
// knows nothing of it) and after (which then has carried it out, unknown to the client). Which request meets which
// fault is drawn from a seeded stream.
import {
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../../../registry/random.js';

export const FAULTS = [
  'delay',
  'error before',
  'busy',
  'reset before',
  'error after',
  'reset after',
  'half an answer',
  'half the JSON',
  'restart',
] as const;
export type Fault = (typeof FAULTS)[number];

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export class FaultProxy {
  readonly counts: Record<Fault, number> = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<
    Fault,
    number
  >;
  requests = 0;
  #server: Server | undefined;
  #port = 0;
  readonly #random = randomStream('faults', 0);

  /** @param rate share of the requests that meet a fault; may be changed while it runs */
  constructor(
    readonly target: string,
    public rate: number,
  ) {}

  get uri(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get injected(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
    this.#server = server;
    await new Promise<void>((done, fail) => {
      server.on('error', fail);
      server.listen(this.#port, '127.0.0.1', done);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Nothing listens any more, connections are cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((done) => (server ? server.close(done) : done(undefined)));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const fault =
      this.#random.uniform() < this.rate ? FAULTS[this.#random.integer(FAULTS.length)] : undefined;
    if (fault) this.counts[fault]++;
    const refuse = (status: number, headers = {}) =>
      response.writeHead(status, headers).end(JSON.stringify({ error_code: 'INJECTED', message: fault }));
    if (fault === 'reset before') return void request.socket.destroy();
    if (fault === 'restart') {
      await this.stop();
      await sleep(30);
      return this.start();
    }
    const body = await collect(request);
    if (fault === 'error before') return void refuse(500);
    if (fault === 'busy') return void refuse(429, { 'retry-after': '0' });
    if (fault === 'delay') await sleep(30);
    const answer = await this.#forward(request, body);
    if (fault === 'error after') return void refuse(502);
    if (fault === 'reset after') return void request.socket.destroy();
    const headers = { ...answer.headers, 'content-length': String(answer.body.length) };
    delete (headers as IncomingMessage['headers'])['transfer-encoding'];
    const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
    if (fault === 'half the JSON')
      return void response.writeHead(answer.status, { ...headers, 'content-length': half.length }).end(half);
    response.writeHead(answer.status, headers);
    if (fault === 'half an answer') {
      response.write(half);
      await sleep(5);
      return void request.socket.destroy();
    }
    response.end(answer.body);
  }

  async #forward(request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { method, url, headers } = request;
    const target = new URL(this.target);
    return new Promise((done, fail) => {
      const forwarded = send(
        {
          host: target.hostname,
          port: target.port,
          method,
          path: url,
          headers: { ...headers, host: target.host, 'content-length': body.length },
        },
        (answer) =>
          void collect(answer).then(
            (data) => done({ status: answer.statusCode!, headers: answer.headers, body: data }),
            fail,
          ),
      );
      forwarded.on('error', fail);
      forwarded.end(body);
    });
  }
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
