// TLS before the tests' MLflow server: certificates made for the moment, and a server that speaks TLS to clients and
// plain HTTP to MLflow.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../../test/support/mlflow/certificates.py', import.meta.url));

/** See certificates.py for the files. @param python one that has `cryptography`, as MLflow's has */
export function makeCertificates(python: string, folder: string): void {
  execFileSync(python, [SCRIPT, folder]);
}

export class TlsProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @param mutual whether clients have to show a certificate of the same authority */
  constructor(folder: string, target: string, mutual: boolean) {
    const [pem, ca] = ['server.pem', 'ca.pem'].map((name) => readFileSync(join(folder, name)));
    const { hostname, port } = new URL(target);
    this.#server = createServer({ cert: pem, key: pem, ca, requestCert: mutual }, (client) => {
      const server = connect(Number(port), hostname);
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
      }
      client.on('close', () => server.destroy()).pipe(server);
      server.on('close', () => client.destroy()).pipe(client);
    });
    this.#server.on('tlsClientError', () => {});
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  /** @param host that the address shall name */
  uri(host = '127.0.0.1'): string {
    return `https://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
