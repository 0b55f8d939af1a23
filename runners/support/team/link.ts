// A connection between two processes that know each other (meeting.ts). It carries messages, which are plain data with
// typed arrays, and long vectors of numbers, which are written from and read into the arrays of the two sides without
// further copies. Frames:
//
//   kind (1 byte) | length (4 bytes, little-endian) | body
//
// A process that ends closes its connections. One that hangs, or a network that loses everything, is noticed by its
// silence: both sides send a sign of life from time to time.
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { MtcpError } from '../../../registry/errors.js';
import { asError, plainError, ProcessLost, type PlainError } from './errors.js';

const KIND = { beat: 0, message: 1, numbers: 2, abort: 3 } as const;
const HEADER = 5;
/** The largest piece of a vector in a frame, bytes. Who receives a vector asks for whole frames. */
export const FRAME = 2 ** 20;
/** The largest body of a frame of each kind, bytes. */
const LONGEST: Readonly<Record<number, number>> = {
  [KIND.beat]: 0,
  [KIND.message]: 2 ** 28,
  [KIND.numbers]: FRAME,
  [KIND.abort]: 2 ** 20,
};
/** Bytes that wait for somebody to want them, at most: then the other side has to wait. */
const WAITING = 2 ** 20;
/** Signs of life in the time after which silence counts as the end. */
const BEATS = 10;

/** Seconds of silence after which a process counts as lost, unless MTCP_PROCESS_PATIENCE says otherwise. */
const SECONDS = 300;
const MOST_SECONDS = 24 * 3600;

/**
 * The same in milliseconds.
 * @throws MtcpError `usage` if MTCP_PROCESS_PATIENCE is no such number
 */
export function patienceOf({ MTCP_PROCESS_PATIENCE: given }: NodeJS.ProcessEnv = process.env): number {
  if (!given) return 1000 * SECONDS;
  const seconds = Number(given);
  if (seconds >= 1 && seconds <= MOST_SECONDS) return 1000 * seconds;
  throw new MtcpError('usage', `"${given}" is not a number of seconds from 1 to ${MOST_SECONDS}`, {
    where: 'environment variable MTCP_PROCESS_PATIENCE',
    hint: `without it, ${SECONDS} seconds of silence count as the loss of a process`,
  });
}

interface Wanted {
  into: Uint8Array;
  at: number;
  done(): void;
}

export class Link {
  /** Bytes of vectors. */
  readonly moved = { sent: 0, received: 0 };
  readonly #chunks: Buffer[] = [];
  #waiting = 0;
  /** Kind of the frame that is being read, and the bytes left of it. */
  #frame: { kind: number; left: number; length: number } | undefined;
  readonly #messages: unknown[] = [];
  #receiver: ((message: unknown) => void) | undefined;
  #wanted: Wanted | undefined;
  #fault: MtcpError | undefined;
  #closed = false;
  readonly #listeners = new Set<(fault: MtcpError) => void>();
  readonly #beat: NodeJS.Timeout;
  #silent = 0;

  /**
   * @param called the other process, for messages
   * @param patience milliseconds of silence after which it counts as lost
   */
  constructor(
    readonly socket: Socket,
    private called: string,
    readonly patience = patienceOf(),
  ) {
    socket.setNoDelay(true).setKeepAlive(true, 15_000);
    socket.resume().on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? error.message));
    socket.on('close', () => this.#lose('it has ended, or its machine cannot be reached'));
    this.#beat = setInterval(() => this.#live(), patience / BEATS);
  }

  /** The other process, for messages. */
  get who(): string {
    return this.called;
  }

  rename(who: string): this {
    this.called = who;
    return this;
  }

  /** Calls `listener` once, when the connection is lost or the other side gave up. */
  onLost(listener: (fault: MtcpError) => void): void {
    if (this.#fault) listener(this.#fault);
    else this.#listeners.add(listener);
  }

  send(message: unknown): void {
    this.#write(KIND.message, serialize(message));
  }

  /** Sends numbers from where they lie. They may change again when it returns. A loss is noticed by whoever receives. */
  async sendNumbers(numbers: Float32Array): Promise<void> {
    const bytes = bytesOf(numbers);
    let last: Promise<void> | undefined;
    for (let at = 0; at < bytes.length; at += FRAME)
      last = this.#write(KIND.numbers, bytes.subarray(at, at + FRAME));
    this.moved.sent += bytes.length;
    await last;
  }

  /** The next message. @throws ProcessLost, or what the other side gave up with */
  receive(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    return this.#waitFor((resolve) => (this.#receiver = resolve));
  }

  /** Reads the next numbers into an array. @throws ProcessLost, or what the other side gave up with */
  receiveNumbers(into: Float32Array): Promise<void> {
    if (into.length === 0) return Promise.resolve();
    return this.#waitFor<void>((done) => {
      this.#wanted = { into: bytesOf(into), at: 0, done };
      this.#read();
    });
  }

  #waitFor<T>(begin: (resolve: (value: T) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#fault) return reject(this.#fault);
      this.#listeners.add(reject);
      begin((value) => {
        this.#listeners.delete(reject);
        resolve(value);
      });
    });
  }

  /** Tells the other side why this one gives up, and closes. */
  abort(error: unknown): void {
    if (this.#closed) return;
    void this.#write(KIND.abort, serialize(plainError(error)));
    this.#fault ??= MtcpError.is(error) ? error : asError(plainError(error), 'this process');
    this.close();
  }

  /** What was sent still arrives. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#beat);
    this.#fault ??= new MtcpError('engine', `the connection to ${this.who} was closed here`);
    this.socket.end();
    // Whoever does not close as well is not waited for.
    setTimeout(() => this.socket.destroy(), 2000).unref();
  }

  #write(kind: number, body: Uint8Array): Promise<void> {
    const header = Buffer.alloc(HEADER);
    header.writeUInt8(kind, 0);
    header.writeUInt32LE(body.length, 1);
    return new Promise((resolve) => {
      if (this.socket.destroyed || this.#closed) return resolve();
      // That it fails is heard of by the event of the socket.
      this.socket.cork();
      this.socket.write(header);
      this.socket.write(body, () => resolve());
      this.socket.uncork();
    });
  }

  #take(chunk: Buffer): void {
    this.#silent = 0;
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    this.#read();
  }

  /** Reads what has come, as far as somebody wants it. */
  #read(): void {
    try {
      while (this.#step());
    } catch (error) {
      this.#fail(error as MtcpError);
      return;
    }
    if (this.#waiting > WAITING) this.socket.pause();
    else if (this.socket.isPaused()) this.socket.resume();
  }

  /** Reads a header, a piece of numbers or a whole message. @returns whether there may be more */
  #step(): boolean {
    if (!this.#frame) {
      const header = this.#bytes(HEADER);
      if (!header) return false;
      const [kind, length] = [header.readUInt8(0), header.readUInt32LE(1)];
      if (!(length <= (LONGEST[kind] ?? -1)))
        throw new MtcpError('engine', `${this.who} sent what is no frame: ${kind}, ${length} bytes`);
      if (kind !== KIND.beat) this.#frame = { kind, length, left: length };
      return true;
    }
    if (this.#frame.kind === KIND.numbers) return this.#numbers(this.#frame);
    const { kind, length } = this.#frame;
    const body = this.#bytes(length);
    if (!body) return false;
    this.#frame = undefined;
    const message: unknown = deserialize(body);
    if (kind === KIND.abort) throw asError(message as PlainError, this.who);
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver) receiver(message);
    else this.#messages.push(message);
    return true;
  }

  #numbers(frame: { left: number }): boolean {
    const wanted = this.#wanted;
    const chunk = this.#chunks[0];
    if (!wanted || !chunk) return false;
    if (frame.left > wanted.into.length - wanted.at)
      throw new MtcpError('engine', `${this.who} sent more numbers than were expected`);
    const part = chunk.subarray(0, frame.left);
    wanted.into.set(part, wanted.at);
    wanted.at += part.length;
    frame.left -= part.length;
    this.moved.received += part.length;
    this.#drop(part.length);
    if (frame.left === 0) this.#frame = undefined;
    if (wanted.at === wanted.into.length) {
      this.#wanted = undefined;
      wanted.done();
    }
    return true;
  }

  /** The next bytes, if they have all come. */
  #bytes(length: number): Buffer | undefined {
    if (this.#waiting < length) return undefined;
    if (length > 0 && this.#chunks[0].length < length) {
      const parts: Buffer[] = [];
      for (let have = 0; have < length; have += parts.at(-1)!.length) parts.push(this.#chunks[parts.length]);
      this.#chunks.splice(0, parts.length, Buffer.concat(parts));
    }
    const bytes = length === 0 ? Buffer.alloc(0) : this.#chunks[0].subarray(0, length);
    this.#drop(length);
    return bytes;
  }

  /** Of the first chunk. */
  #drop(length: number): void {
    this.#waiting -= length;
    if (length === 0) return;
    if (length === this.#chunks[0].length) this.#chunks.shift();
    else this.#chunks[0] = this.#chunks[0].subarray(length);
  }

  /** Counts turns of this timer, not time: a process that was busy itself has not heard what has come. */
  #live(): void {
    void this.#write(KIND.beat, Buffer.alloc(0));
    if (this.socket.isPaused() || ++this.#silent <= BEATS) return;
    this.#fail(new ProcessLost(`${this.who} has been silent for ${this.patience / 1000} s`));
  }

  #lose(why: string): void {
    this.#fail(new ProcessLost(`the connection to ${this.who} is lost: ${why}`));
  }

  #fail(fault: MtcpError): void {
    clearInterval(this.#beat);
    if (!this.#fault) {
      this.#fault = fault;
      this.socket.destroy();
    }
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(this.#fault);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
