// How requests reach the server: directly, over TLS with the connection's certificates, or through the proxy that
// HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. The last two use undici's own fetch, on which Node's is based, because
// only that one can be configured.
import { MtcpError } from '../../../../registry/errors.js';
import type { Connection } from './connection.js';
import { tlsOptions } from './tls.js';

/** What fetch takes as a body. */
export type Body = NonNullable<RequestInit['body']>;
export type Fetch = (url: string, init: RequestInit & { duplex?: 'half' }) => Promise<Response>;

type Env = Readonly<Record<string, string | undefined>>;

/** @throws MtcpError `usage` if a file of certificates, or the address of a proxy, cannot be used */
export async function fetchFor(connection: Connection, env: Env = process.env): Promise<Fetch> {
  const secure = connection.uri.startsWith('https:');
  const proxied = proxyVariables(env).length > 0;
  if (!secure && !proxied) return globalThis.fetch as Fetch;
  const tls = secure ? tlsOptions(connection) : {};
  const { Agent, EnvHttpProxyAgent, buildConnector, fetch: configurable } = await import('undici');
  const connector = buildConnector(tls);
  // Why a server ends a connection (it asks for a certificate, say) is an error of the socket, which fetch reports
  // as a connection that was closed.
  let alert: Error | undefined;
  const connect: typeof connector = (options, callback) =>
    connector(options, (...result) => {
      const [error, socket] = result;
      if (!error) socket.once('error', (reason: Error) => (alert = reason));
      callback(...result);
    });
  const dispatcher = proxied
    ? usable(
        env,
        () => new EnvHttpProxyAgent({ ...proxiesIn(env), proxyTunnel: false, connect, requestTls: tls }),
      )
    : new Agent({ connect });
  return async (url, init) => {
    alert = undefined;
    try {
      return (await configurable(url, { ...init, dispatcher } as never)) as unknown as Response;
    } catch (error) {
      throw alert ? new TypeError('fetch failed', { cause: alert }) : error;
    }
  };
}

/** Variables that name a proxy, small letters first as everywhere. */
export const proxyVariables = (env: Env = process.env): string[] =>
  ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].filter((name) => env[name]);

const proxiesIn = (env: Env) => ({
  httpProxy: env.http_proxy || env.HTTP_PROXY || '',
  httpsProxy: env.https_proxy || env.HTTPS_PROXY || '',
  noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
});

function usable<T>(env: Env, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new MtcpError('usage', 'this is not the address of a proxy', {
      where: proxyVariables(env).join(', '),
      hint: 'for example http://proxy.example.org:3128',
      cause,
    });
  }
}
