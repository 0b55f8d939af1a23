// The server of the live page. It listens on loopback only; over ssh, forward its port. It answers requests whose Host is
// this machine's own name for itself: a page of another site that points its name at 127.0.0.1 gets nothing.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MtcpError } from '../../../registry/errors.js';
import { PAGE, POLICY } from './page.js';
import type { Watch } from './snapshot.js';

export interface WatchServer {
  readonly url: string;
  close(): Promise<void>;
}

const LOCAL = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** @throws MtcpError `usage` if the port is taken */
export async function serve(watch: Watch, port: number): Promise<WatchServer> {
  const server = createServer((request, response) => answer(watch, request, response));
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new MtcpError('usage', `port ${port} cannot be used: ${(cause as Error).message}`, {
      where: `argument "--port ${port}"`,
      hint: 'name another port, or 0 for any that is free',
      cause,
    });
  }
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${chosen}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(
  watch: Watch,
  { method, headers, url = '/' }: IncomingMessage,
  response: ServerResponse,
): void {
  const send = (status: number, type: string, body: string | Buffer): void => {
    response.writeHead(status, {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      'Content-Security-Policy': POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
    });
    response.end(method === 'HEAD' ? undefined : body);
  };
  const refuse = (status: number, why: string) => send(status, 'text/plain; charset=utf-8', `${why}\n`);
  if (!LOCAL.test(headers.host ?? '')) return refuse(403, 'only for localhost');
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET');
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  try {
    if (pathname === '/') return send(200, 'text/html; charset=utf-8', PAGE);
    if (pathname === '/state.json') return send(200, 'application/json', JSON.stringify(watch.snapshot()));
    const picture = pathname === '/picture' ? watch.picture(searchParams.get('trial') ?? '') : undefined;
    if (picture) return send(200, 'image/png', picture);
    refuse(404, 'there is nothing here');
  } catch (error) {
    refuse(500, (error as Error).message);
  }
}
