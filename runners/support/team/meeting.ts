// How processes find each other. Process 0 listens, and writes down where in a file that only its user can read, with a
// token that the others prove to know (handshake.ts). They come in any order, get their numbers in the order in which
// they come, and connect to each other.
import { rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MtcpError } from '../../../registry/errors.js';
import { JsonFormat } from '../../../registry/support/json-file.js';
import { PRIVATE_FILE, writeWhole } from '../files.js';
import { greetAsGuest, greetAsHost, newSecret, type Secret } from './handshake.js';
import { ProcessLost } from './errors.js';
import { Link, patienceOf } from './link.js';
import { Team } from './team.js';

export interface Meeting extends Secret {
  /** Names and addresses of process 0, the likely ones first. */
  hosts: string[];
  port: number;
}

export const MEETING = new JsonFormat<Meeting>(
  'a meeting of processes',
  {
    type: 'object',
    required: ['id', 'token', 'hosts', 'port'],
    properties: {
      id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
      token: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      hosts: { type: 'array', items: { type: 'string' } },
      port: { type: 'integer', minimum: 1, maximum: 65535 },
    },
  },
  { hint: 'process 0 writes it; start the command again' },
);

/** What a process says of itself. */
interface Introduction {
  host: string;
  pid: number;
  port: number;
}

/** A process as the others find it. */
interface Member extends Introduction {
  hosts: string[];
}

interface Place {
  index: number;
  of: number;
  /** By index; process 0 is known already. */
  members: Member[];
}

const LOOPBACK = '127.0.0.1';
/** Milliseconds after which another address is tried. */
const DIAL = 5000;

const nameOf = (index: number, { host, pid }: Introduction): string =>
  `process ${index} (pid ${pid} on ${host})`;

export interface CallOptions {
  /** How many others are awaited. */
  others: number;
  /** Whether they are on this machine: then nobody else can connect. */
  isLocal: boolean;
  /** Rejects when no more of them can come. */
  broken?: Promise<never>;
  /** Milliseconds for which they are awaited. */
  patience?: number;
}

/**
 * Calls the others and waits until all are connected to each other. This process is number 0.
 * @param file that tells them where
 * @throws MtcpError `engine` if they do not come; `io` if the file cannot be written
 */
export async function call(file: string, options: CallOptions): Promise<Team> {
  const { others, isLocal, broken, patience = patienceOf() } = options;
  const secret = newSecret();
  const door = await Door.open(secret, isLocal);
  const come: { link: Link; member: Member }[] = [];
  try {
    const hosts = isLocal ? [LOOPBACK] : addresses();
    writeWhole(file, `${JSON.stringify({ ...secret, hosts, port: door.port })}\n`, PRIVATE_FILE);
    const team = async (): Promise<Team> => {
      while (come.length < others) {
        const socket = await door.next();
        const link = new Link(socket, `process ${come.length + 1}`, patience);
        const who = (await link.receive()) as Introduction;
        const seen = socket.remoteAddress!;
        come.push({
          link: link.rename(nameOf(come.length + 1, who)),
          member: { ...who, hosts: [seen, who.host] },
        });
      }
      const members = come.map(({ member }) => member);
      come.forEach(({ link }, i) => link.send({ index: i + 1, of: others + 1, members } satisfies Place));
      await Promise.all(come.map(({ link }) => link.receive()));
      return new Team(0, others + 1, new Map(come.map(({ link }, i) => [i + 1, link])));
    };
    const late = () =>
      new ProcessLost(
        `${come.length} of ${others} other processes have joined this one within ${patience / 1000} s`,
        'their output says why; between machines, the ports from 1024 on must be open',
      );
    return await Promise.race([team(), limit(patience, late), ...(broken ? [broken] : [])]);
  } catch (error) {
    for (const { link } of come) link.abort(error);
    throw error;
  } finally {
    door.close();
    rmSync(file, { force: true });
  }
}

/**
 * Joins a meeting, and waits until all are connected to each other.
 * @throws MtcpError `engine` if process 0 cannot be reached or does not know this meeting
 */
export async function join(meeting: Meeting, patience = patienceOf()): Promise<Team> {
  const { hosts, port } = meeting;
  const links = new Map<number, Link>();
  const leader = new Link(await dial(hosts, port, meeting), 'process 0', patience);
  links.set(0, leader);
  const door = await Door.open(meeting, hosts[0] === LOOPBACK);
  try {
    leader.send({ host: hostname(), pid: process.pid, port: door.port } satisfies Introduction);
    const { index, of, members } = (await leader.receive()) as Place;
    for (let other = 1; other < index; other++) {
      const member = members[other - 1];
      const link = new Link(await dial(member.hosts, member.port, meeting), nameOf(other, member), patience);
      link.send(index);
      links.set(other, link);
    }
    while (links.size < of - 1) {
      const link = new Link(await door.next(), 'another process', patience);
      const other = (await link.receive()) as number;
      links.set(other, link.rename(nameOf(other, members[other - 1])));
    }
    leader.send('ready');
    return new Team(index, of, links);
  } catch (error) {
    for (const link of links.values()) link.abort(error);
    throw error;
  } finally {
    door.close();
  }
}

/** Where processes of a meeting come in; strangers are turned away. */
class Door {
  readonly #come: Socket[] = [];
  #waiting: (() => void) | undefined;
  readonly #strangers = new Set<Socket>();

  private constructor(
    readonly server: Server,
    secret: Secret,
  ) {
    server.on('connection', (socket) => {
      this.#strangers.add(socket);
      socket.on('error', () => {});
      greetAsHost(socket, secret)
        .then(() => {
          this.#come.push(socket);
          this.#waiting?.();
        })
        // It was closed; whoever belongs here tries again.
        .catch(() => {})
        .finally(() => this.#strangers.delete(socket));
    });
  }

  static open(secret: Secret, isLocal: boolean): Promise<Door> {
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.maxConnections = 1024;
      server.once('error', (cause) =>
        reject(new MtcpError('engine', `no connection can be listened for: ${cause.message}`, { cause })),
      );
      server.listen({ port: 0, ...(isLocal && { host: LOOPBACK }) }, () => resolve(new Door(server, secret)));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async next(): Promise<Socket> {
    while (this.#come.length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.#come.shift()!;
  }

  close(): void {
    this.server.close();
    for (const socket of [...this.#strangers, ...this.#come]) socket.destroy();
  }
}

/** Tries one address after the other. */
async function dial(hosts: readonly string[], port: number, secret: Secret): Promise<Socket> {
  let last: unknown;
  for (const host of hosts)
    try {
      const socket = await connected(host, port);
      await greetAsGuest(socket, secret);
      return socket;
    } catch (error) {
      last = error;
    }
  throw new MtcpError('engine', `no process of this run answers at ${hosts.join(', ')}, port ${port}`, {
    hint: `${(last as Error | undefined)?.message}; between machines, the ports from 1024 on must be open`,
    cause: last,
  });
}

function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), DIAL);
    const end = () => clearTimeout(timer);
    socket.once('error', (error) => {
      end();
      reject(error);
    });
    socket.once('connect', () => {
      end();
      resolve(socket);
    });
  });
}

/** Of this machine: its name, then its addresses that others may reach. */
function addresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  // Addresses of one wire have no meaning on another.
  const outside = own.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  return [hostname(), ...outside.map(({ address }) => address), LOOPBACK];
}

async function limit(milliseconds: number, late: () => MtcpError): Promise<never> {
  await sleep(milliseconds, undefined, { ref: false });
  throw late();
}
