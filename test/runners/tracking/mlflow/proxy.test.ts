// HTTP_PROXY and NO_PROXY: a small forward proxy in the test notes what goes through it.
import { expect } from 'chai';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MlflowClient } from '../../../../runners/tracking/mlflow/client/index.js';
import { WELL, wrongServer } from '../../../support/mlflow/wrong-server.js';

describe('MLflow through a proxy', () => {
  const environment = { ...process.env };
  let proxy: Server;
  let seen: string[];
  let address: string;
  let target: Awaited<ReturnType<typeof wrongServer>>;

  beforeEach(async () => {
    for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
    seen = [];
    proxy = createServer((request, response) => {
      seen.push(request.url!);
      const { method, headers, url } = request;
      request.pipe(
        send(url!, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    target = await wrongServer(WELL);
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
    Object.assign(process.env, environment);
    proxy.closeAllConnections();
    proxy.close();
    target.close();
  });

  const ask = () => new MlflowClient({ uri: target.uri, retries: 0 }).experimentByName('e');

  it('goes through HTTP_PROXY', async () => {
    process.env.HTTP_PROXY = address;
    expect((await ask())?.experiment_id).to.equal('1');
    expect(seen).to.deep.equal([`${target.uri}/api/2.0/mlflow/experiments/get-by-name?experiment_name=e`]);
  });

  it('goes around it where NO_PROXY says so', async () => {
    process.env.HTTP_PROXY = address;
    process.env.NO_PROXY = '127.0.0.1';
    expect((await ask())?.experiment_id).to.equal('1');
    expect(seen).to.deep.equal([]);
  });

  it('names the variable when the proxy is away or is none', async () => {
    process.env.http_proxy = 'http://127.0.0.1:2';
    const away = await ask().catch((error: Error & { hint?: string }) => error);
    expect((away as { hint?: string }).hint).to.match(/http_proxy.*NO_PROXY=127\.0\.0\.1/);
    process.env.http_proxy = 'no address';
    const none = await ask().catch((error: Error & { where?: string }) => error);
    expect(none).to.include({ message: 'this is not the address of a proxy', where: 'http_proxy' });
  });
});
