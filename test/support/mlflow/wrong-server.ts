// Servers that answer wrongly, each in its own way.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const json =
  (body: unknown, status = 200, headers = {}): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const raw =
  (body: string, type = 'application/json', status = 200): Answer =>
  (_, response) =>
    response.writeHead(status, { 'content-type': type }).end(body);
const redirect =
  (location: string): Answer =>
  (_, response) =>
    response.writeHead(302, { location }).end();

/** Answers as MLflow does, as far as a trial without files and model goes. */
export const WELL: Answer = (request, response, body) => {
  const experiment = { experiment_id: '1', name: 'e', lifecycle_stage: 'active' };
  const run = { info: { run_id: 'r', experiment_id: '1', artifact_uri: 'mlflow-artifacts:/1/r' }, data: {} };
  const { url } = request;
  const answer = url!.includes('experiments/get')
    ? { experiment }
    : url!.includes('runs/create')
      ? { run: { ...run, info: { ...run.info, run_id: `r${body.length}` } } }
      : {};
  json(answer)(request, response, body);
};

/** As MLflow, but for the calls that match. */
const but =
  (pattern: RegExp, wrong: Answer): Answer =>
  (request, response, body) =>
    (pattern.test(request.url!) ? wrong : WELL)(request, response, body);

let pages = 0;
const missing = json({ error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no such run' }, 404);

export const WRONG: Readonly<Record<string, Answer>> = {
  'fails always': json({ error_code: 'INTERNAL_ERROR' }, 500),
  'fails with nonsense': raw('\u0000\u0001', 'application/octet-stream', 500),
  'asks to wait, in words': json({}, 429, { 'retry-after': 'soon' }),
  'asks to wait for ever': json({}, 429, { 'retry-after': '1e300' }),
  'sends half a JSON': raw('{"experiment": {"experiment_id"'),
  'sends null': json(null),
  'sends {}': json({}),
  'sends []': json([]),
  'sends a number for an object': json({ experiment: 7, run: 7, runs: 7 }),
  'sends wrong types inside': json({ experiment: { experiment_id: { a: 1 } }, run: { info: { run_id: 5 } } }),
  'sends a page': raw('<html><title>Login</title></html>', 'text/html'),
  'leads to a file': redirect('file:///etc/passwd'),
  'leads nowhere': redirect('http://[::nonsense'),
  'leads in circles': redirect('/api/2.0/mlflow/again'),
  'says nothing': () => {},
  'sends byte by byte': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(drip));
  },
  'takes the run, then fails': but(/log-batch/, json({}, 500)),
  'takes the run, then loses it': but(/log-batch/, missing),
  'takes the run, then sends null': but(/log-batch|runs\/update/, json(null)),
  'has pages without an end': but(/runs\/search/, (request, response, body) =>
    json({ runs: [], next_page_token: `page ${pages++}` })(request, response, body),
  ),
};

/** A body that never ends, as fast as it is taken. */
export const ENDLESS: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const piece = Buffer.alloc(1 << 20, 0x20);
  const more = () => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
};

export async function wrongServer(answer: Answer): Promise<{ uri: string; close(): void }> {
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += text)).on('end', () => answer(request, response, body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
