// The connection to a server: address, login and certificates, read from the same variables as in MLflow's own
// client. Credentials are only held in this object and in request headers.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MtcpError } from '../../../../registry/errors.js';
import { readText } from '../../../../registry/support/plain-file.js';

export interface Connection {
  /** http(s)://host[:port][/prefix], without credentials and without a slash at the end. */
  readonly uri: string;
  readonly username?: string;
  readonly password?: string;
  /** Sent as `Authorization: Bearer`, unless there are a user name and a password. */
  readonly token?: string;
  /** Accept any certificate. */
  readonly insecureTls?: boolean;
  /** PEM file of the certificates to trust instead of the usual ones, or a folder of such files. */
  readonly caFile?: string;
  /** PEM file with the client's certificate and key. */
  readonly clientCertFile?: string;
  /** Seconds until a request counts as unanswered; an upload gets more, by its size. Default 120. */
  readonly timeout?: number;
  /** Further tries after a passing fault. Default 4. */
  readonly retries?: number;
  /** Seconds before the first further try; doubled each time, with a random part. Default 1. */
  readonly backoff?: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The connection that MLFLOW_* variables describe.
 * @param uri used if MLFLOW_TRACKING_URI is not set
 * @throws MtcpError `usage` if an address or a number cannot be used
 */
export function connectionFromEnv(env: Env = process.env, uri?: string): Connection {
  const named = env.MLFLOW_TRACKING_URI?.trim();
  const address = named || uri;
  if (!address)
    throw new MtcpError('usage', 'no tracking server is named', {
      hint: 'set MLFLOW_TRACKING_URI, for example http://localhost:5000',
    });
  const { username, password, ...parsed } = parseUri(address, named ? 'MLFLOW_TRACKING_URI' : 'tracking.uri');
  const login = credentialsFile(env);
  const secret = env.MLFLOW_TRACKING_USERNAME || env.MLFLOW_TRACKING_PASSWORD || env.MLFLOW_TRACKING_TOKEN;
  if (!named && (secret || login.username || login.password)) requireListed(parsed.uri, env);
  for (const name of ['MLFLOW_TRACKING_AWS_SIGV4', 'MLFLOW_TRACKING_AUTH'])
    if (env[name] && !/^(0|false|no)$/i.test(env[name]))
      throw new MtcpError('usage', 'this way to log in is not supported', {
        where: name,
        hint: 'a user name and a password, or a token, are',
      });
  const insecureTls = /^(1|true|yes)$/i.test(env.MLFLOW_TRACKING_INSECURE_TLS ?? '');
  const caFile = env.MLFLOW_TRACKING_SERVER_CERT_PATH || undefined;
  if (insecureTls && caFile)
    throw new MtcpError('usage', 'certificates to trust make no sense where any is accepted', {
      where: 'MLFLOW_TRACKING_SERVER_CERT_PATH',
      hint: 'unset it, or MLFLOW_TRACKING_INSECURE_TLS',
    });
  const timeout = number(env, 'MLFLOW_HTTP_REQUEST_TIMEOUT');
  const retries = number(env, 'MLFLOW_HTTP_REQUEST_MAX_RETRIES');
  const backoff = number(env, 'MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR');
  return {
    ...parsed,
    username: env.MLFLOW_TRACKING_USERNAME || username || login.username,
    password: env.MLFLOW_TRACKING_PASSWORD || password || login.password,
    token: env.MLFLOW_TRACKING_TOKEN || undefined,
    insecureTls,
    caFile,
    clientCertFile: env.MLFLOW_TRACKING_CLIENT_CERT_PATH || undefined,
    ...(timeout !== undefined && { timeout }),
    ...(retries !== undefined && { retries }),
    ...(backoff !== undefined && { backoff }),
  };
}

/**
 * A login goes to the server that it is for: that of MLFLOW_TRACKING_URI, or one whose host is listed. An address in an
 * experiment file may be anybody's.
 */
function requireListed(uri: string, env: Env): void {
  const { host, hostname } = new URL(uri);
  const listed = (env.MTCP_TRACKING_HOSTS ?? '').split(/[\s,]+/);
  if (listed.includes(host) || listed.includes(hostname)) return;
  throw new MtcpError(
    'usage',
    `the login of your environment is not sent to ${host}, which the experiment file names`,
    {
      where: 'tracking.uri',
      hint: `if it is meant for this server: export MLFLOW_TRACKING_URI=${uri}, or MTCP_TRACKING_HOSTS=${host}`,
    },
  );
}

/**
 * Splits an address into what may be shown and the credentials in it.
 * @param where named in errors, which never show the credentials
 * @throws MtcpError `usage`
 */
export function parseUri(text: string, where: string): Pick<Connection, 'uri' | 'username' | 'password'> {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0].toLowerCase();
  if (scheme !== 'http' && scheme !== 'https')
    throw new MtcpError(
      'usage',
      UNREACHABLE[scheme ?? ''] ?? 'this is not the address of a tracking server',
      {
        where,
        hint: 'give the address of a server, for example http://localhost:5000; "mtcp mlflow ui" starts one',
      },
    );
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new MtcpError('usage', 'this is not a web address', {
      where,
      hint: 'for example http://localhost:5000',
    });
  }
  return {
    uri: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    username: decodeURIComponent(url.username) || undefined,
    password: decodeURIComponent(url.password) || undefined,
  };
}

const DATABASE = 'only MLflow itself can open a database; mtcp speaks to a server';
const UNREACHABLE: Readonly<Record<string, string>> = {
  '': 'a folder is not a tracking server; mtcp speaks to a server',
  file: 'a folder is not a tracking server; mtcp speaks to a server',
  sqlite: DATABASE,
  postgresql: DATABASE,
  mysql: DATABASE,
  databricks: 'the Databricks profile of MLflow is not supported',
};

/** The login that `mlflow` keeps in ~/.mlflow/credentials. */
function credentialsFile(env: Env): { username?: string; password?: string } {
  const file = env.MLFLOW_CREDENTIALS_FILE ?? join(env.HOME ?? homedir(), '.mlflow', 'credentials');
  let text: string;
  try {
    text = readText(file, { kind: 'usage' });
  } catch {
    return {};
  }
  const section = /\[mlflow\]([^[]*)/.exec(text)?.[1] ?? '';
  const value = (key: string) => new RegExp(`^\\s*${key}\\s*=\\s*(.+?)\\s*$`, 'm').exec(section)?.[1];
  return { username: value('mlflow_tracking_username'), password: value('mlflow_tracking_password') };
}

function number(env: Env, name: string): number | undefined {
  const text = env[name];
  if (!text) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new MtcpError('usage', `"${text}" is not a number of at least 0`, { where: name });
  return value;
}

/** Replaces credentials by *** in any text that leaves the process. */
export class Redactor {
  readonly #secrets: readonly string[];

  constructor({ username, password, token }: Pick<Connection, 'username' | 'password' | 'token'>) {
    const basic = password && Buffer.from(`${username ?? ''}:${password}`).toString('base64');
    const plain = [password, token, basic].filter((secret): secret is string => Boolean(secret));
    const forms = plain.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
    ]);
    this.#secrets = [...new Set(forms)].sort((a, b) => b.length - a.length);
  }

  /** Also hides a login inside any address, whosever it is. */
  text(text: string): string {
    const shown = this.#secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text);
    return shown.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"']*@/gi, '$1***@');
  }
}
