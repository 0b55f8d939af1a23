// Errors between the client and a tracking server, with messages that say what to do. `certain` matters for repeating
// a request: if it was certainly not carried out, it can be sent again in any case.
import { MtcpError } from '../../../../registry/errors.js';

export interface MlflowFault {
  /** HTTP status; undefined if there was no answer. */
  status?: number;
  /** MLflow's own name of the fault, such as RESOURCE_DOES_NOT_EXIST. */
  code?: string;
  /** Whether trying again may help. */
  passing: boolean;
  /** False if the server may have carried out the request although it looks failed from here. */
  certain: boolean;
  /** Seconds that the server asks to wait. */
  retryAfter?: number;
  /** Whether every other request would fail like this one: the server cannot be reached, or the login is refused. */
  total?: boolean;
}

export class MlflowError extends MtcpError implements MlflowFault {
  readonly status?: number;
  readonly code?: string;
  readonly passing: boolean;
  readonly certain: boolean;
  readonly retryAfter?: number;
  readonly total: boolean;

  constructor(
    message: string,
    fault: MlflowFault,
    details: { where?: string; hint?: string; cause?: unknown },
  ) {
    super('tracker', message, details);
    this.name = 'MlflowError';
    this.status = fault.status;
    this.code = fault.code;
    this.passing = fault.passing;
    this.certain = fault.certain;
    this.retryAfter = fault.retryAfter;
    this.total = fault.total ?? false;
  }

  static override is(error: unknown): error is MlflowError {
    return MtcpError.is(error, 'tracker') && 'certain' in error;
  }
}

export const isMissing = (error: unknown): boolean =>
  MlflowError.is(error) && error.code === 'RESOURCE_DOES_NOT_EXIST';
export const existsAlready = (error: unknown): boolean =>
  MlflowError.is(error) && error.code === 'RESOURCE_ALREADY_EXISTS';

/** Answers worth another try: the ones that MLflow's own client repeats. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export interface Sent {
  /** Method and address, without credentials. */
  where: string;
  host: string;
  /** How the request was authenticated. */
  login: 'none' | 'basic' | 'token';
  /** Variables that name a proxy. */
  proxies: readonly string[];
}

/** An answer that is not a success. */
export function refused(
  status: number,
  headers: Headers,
  body: string,
  { where, host, login }: Sent,
): MlflowError {
  const { code, message } = parseBody(body);
  const details = message || firstLine(body);
  const fault: MlflowFault = {
    status,
    code,
    passing: PASSING.has(status),
    certain: status < 500 && status !== 408,
    retryAfter: retryAfter(headers.get('retry-after')),
    total: status === 401,
  };
  const say = (text: string, hint?: string) => new MlflowError(text, fault, { where, hint });
  if (status === 401)
    return say(
      login === 'none' ? 'the server asks for a login (401)' : `the server refuses the login (401)`,
      login === 'none'
        ? 'set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN'
        : `check ${login === 'basic' ? 'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD' : 'MLFLOW_TRACKING_TOKEN'}`,
    );
  if (status === 403 && /host header|rebinding/i.test(body))
    return say(
      `the server does not answer to the name "${host}" (403)`,
      `start it with: mlflow server --allowed-hosts ${host}`,
    );
  if (status === 403)
    return say(`not allowed (403)${details ? `: ${details}` : ''}`, 'ask for permission on this experiment');
  if (status === 404 && code === undefined)
    return say(
      'nothing that speaks MLflow is at this address (404)',
      'check MLFLOW_TRACKING_URI: scheme, port, and the prefix if the server has one; MLflow before 3.0 lacks some calls',
    );
  if (status === 413)
    return say(
      'the request is too large for the server, or for a proxy before it (413)',
      'raise its limit on the body',
    );
  return say(
    `${status >= 500 ? 'the server failed' : 'refused'} (${status})${details ? `: ${details}` : ''}`,
  );
}

/** An answer whose body ends early, or that is not JSON where JSON was due. */
export function garbled(status: number, type: string | null, body: string, { where }: Sent): MlflowError {
  const html = type?.includes('html') ?? body.trimStart().startsWith('<');
  return new MlflowError(
    html ? 'the answer is a web page, not JSON' : 'the answer is not whole',
    { status, passing: !html, certain: false },
    { where, hint: html ? 'is this the address of MLflow itself, or of a login page before it?' : undefined },
  );
}

/** An answer that is whole and does not hold what it has to. */
export const nonsense = (status: number, fault: string, { where }: Sent): MlflowError =>
  new MlflowError(
    `the answer is not one of MLflow's: ${fault}`,
    { status, passing: true, certain: false },
    { where, hint: 'is there something else at this address, or a proxy before it?' },
  );

/** Codes after which the request cannot have reached the server. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const CUT = 'the connection was cut';
const CLIENT_CERTIFICATE =
  "MLFLOW_TRACKING_CLIENT_CERT_PATH names a file with the client's certificate and key";

const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no machine has this name',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'the machine cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  ECONNRESET: CUT,
  UND_ERR_SOCKET: CUT,
  EPIPE: CUT,
};

/** No answer at all: what fetch throws. */
export function unanswered(error: unknown, { where, host, proxies }: Sent, seconds: number): MlflowError {
  const { name, message } = error as Error;
  if (name === 'TimeoutError')
    return new MlflowError(
      `no answer within ${seconds} s`,
      { passing: true, certain: false, total: true },
      { where, hint: 'MLFLOW_HTTP_REQUEST_TIMEOUT sets the limit', cause: error },
    );
  const cause = rootCause(error);
  const code = cause.code ?? '';
  if (cause.message === 'bad port')
    return new MlflowError(
      'fetch uses no such port: it is reserved for another protocol',
      { passing: false, certain: true, total: true },
      { where, hint: 'let the server listen at another one, for example 5000', cause: error },
    );
  const tls = tlsFault(code, cause.message);
  const notSent = NOT_SENT.has(code) || tls !== undefined;
  // Some servers say nothing to a client whose certificate they do not like.
  const cut = CONNECTION[code] === CUT && where.includes(' https:');
  const proxied =
    proxies.length > 0
      ? `the environment names a proxy (${proxies.join(', ')}); NO_PROXY=${host.replace(/:\d+$/, '')} goes around it`
      : undefined;
  return new MlflowError(
    tls?.message ?? `${host} cannot be reached: ${CONNECTION[code] ?? (cause.message || message)}`,
    { passing: !tls, certain: notSent, total: notSent || name === 'AbortError' },
    {
      where,
      hint:
        tls?.hint ??
        proxied ??
        (cut ? `if the server asks for a certificate: ${CLIENT_CERTIFICATE}` : undefined),
      cause: error,
    },
  );
}

/** What is wrong with a connection before anything is sent over it; undefined if it is something else. */
function tlsFault(code: string, message: string): { message: string; hint: string } | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      message: `the server's certificate is for another name: ${message}`,
      hint: 'use the name that the certificate is for in MLFLOW_TRACKING_URI',
    };
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(code))
    return {
      message: 'the server does not speak TLS',
      hint: 'is it http:// rather than https:// in MLFLOW_TRACKING_URI?',
    };
  if (/ALERT/.test(code)) {
    const alert = /ALERT_(.*)/.exec(code)![1].toLowerCase().replaceAll('_', ' ');
    return {
      message: `the server ends the connection: ${alert}`,
      hint: CLIENT_CERTIFICATE,
    };
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_/.test(code))
    return {
      message: `the server's certificate is not trusted: ${message}`,
      hint: 'MLFLOW_TRACKING_SERVER_CERT_PATH names a file of certificates to trust',
    };
  return undefined;
}

function rootCause(error: unknown): NodeJS.ErrnoException {
  let at = error as NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] };
  for (let depth = 0; depth < 5; depth++) {
    // A name with several addresses fails once for each.
    if (at.errors?.length) at = at.errors[0];
    else if (at.cause instanceof Error) at = at.cause as typeof at;
    else break;
  }
  return at;
}

function parseBody(body: string): { code?: string; message?: string } {
  try {
    const { error_code: code, message } = JSON.parse(body) as { error_code?: unknown; message?: unknown };
    return {
      code: typeof code === 'string' ? code : undefined,
      message: typeof message === 'string' ? short(message) : undefined,
    };
  } catch {
    return {};
  }
}

/** Of a web page, its title. */
const firstLine = (body: string): string =>
  short(
    body.trimStart().startsWith('<')
      ? (/<title>\s*(?:\d{3}\s+)?([^<]*?)\s*<\/title>/i.exec(body)?.[1] ?? '')
      : (body.trim().split('\n')[0] ?? ''),
  );

const LONGEST = 400;
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text);

/** Seconds, from a number of seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
