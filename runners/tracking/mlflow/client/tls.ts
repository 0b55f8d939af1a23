// A connection's certificates as TLS options: which authorities to trust, and the client's own certificate.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { MtcpError } from '../../../../registry/errors.js';
import { readText } from '../../../../registry/support/plain-file.js';
import type { Connection } from './connection.js';

export interface TlsOptions {
  rejectUnauthorized?: boolean;
  ca?: string[];
  cert?: string;
  key?: string;
}

const CA = 'MLFLOW_TRACKING_SERVER_CERT_PATH';
const CLIENT = 'MLFLOW_TRACKING_CLIENT_CERT_PATH';

/** @throws MtcpError `usage` if a file of certificates cannot be used */
export function tlsOptions({ insecureTls, caFile, clientCertFile }: Connection): TlsOptions {
  const ca = caFile && authorities(caFile);
  const client = clientCertFile ? clientCertificate(clientCertFile) : undefined;
  return { rejectUnauthorized: !insecureTls, ...(ca && { ca }), ...client };
}

/** Certificates of a file, or of all files of a folder. */
function authorities(path: string): string[] {
  const files = read(path, CA, () =>
    statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path],
  );
  const found = files
    .filter((file) => read(file, CA, () => statSync(file).isFile()))
    .flatMap((file) => certificatesIn(read(file, CA, () => readText(file, { kind: 'usage' }))));
  if (found.length === 0) throw unusable(`${path} holds no certificates`, CA, 'it has to be in PEM form');
  usable(() => createSecureContext({ ca: found }), path, CA);
  return found;
}

function clientCertificate(path: string): { cert: string; key: string } {
  const text = read(path, CLIENT, () => readText(path, { kind: 'usage' }));
  const wanted = 'it has to hold the certificate and its key, both in PEM form';
  if (certificatesIn(text).length === 0) throw unusable(`${path} holds no certificate`, CLIENT, wanted);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw unusable(`${path} holds no key`, CLIENT, wanted);
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text))
    throw unusable(
      `the key in ${path} is encrypted`,
      CLIENT,
      `openssl pkey -in ${path} writes it without a passphrase`,
    );
  const pair = { cert: text, key: text };
  usable(() => createSecureContext(pair), path, CLIENT);
  return pair;
}

const certificatesIn = (text: string): string[] =>
  text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];

function read<T>(path: string, where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new MtcpError('usage', `${path} cannot be read: ${(cause as Error).message}`, { where, cause });
  }
}

function usable(work: () => unknown, path: string, where: string): void {
  try {
    work();
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^error:\w+:/, '');
    throw new MtcpError('usage', `${path} cannot be used: ${reason}`, { where, cause });
  }
}

const unusable = (message: string, where: string, hint: string) =>
  new MtcpError('usage', message, { where, hint });
