// Two processes prove to each other that they know the token of a meeting, before anything that one sends is read by the
// other. The token itself is not sent. Every field has a fixed length.
//
//   guest   greeting, number of the meeting, random number
//   host    random number, proof
//   guest   proof
//   host    welcome
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { MtcpError } from '../../../registry/errors.js';

/** The digit is raised when what processes say to each other changes. */
const GREETING = Buffer.from('mtcp-1\0\0');
const WELCOME = Buffer.from('welcome\0');
const RANDOM = 32;
const PROOF = 32;
/** Milliseconds for all of it. */
const PATIENCE = 10_000;

export interface Secret {
  /** Number of the meeting: 16 bytes in hexadecimal. */
  id: string;
  /** 32 bytes in hexadecimal. */
  token: string;
}

export const newSecret = (): Secret => ({
  id: randomBytes(16).toString('hex'),
  token: randomBytes(32).toString('hex'),
});

const proofOf = ({ token }: Secret, who: 'host' | 'guest', guest: Buffer, host: Buffer): Buffer =>
  createHmac('sha256', Buffer.from(token, 'hex')).update(who).update(guest).update(host).digest();

/** @throws MtcpError `engine` if the other side is no process of this meeting */
export async function greetAsGuest(socket: Socket, secret: Secret): Promise<void> {
  const own = randomBytes(RANDOM);
  await within(socket, async () => {
    socket.write(Buffer.concat([GREETING, Buffer.from(secret.id, 'hex'), own]));
    const theirs = await bytes(socket, RANDOM);
    require(await bytes(socket, PROOF), proofOf(secret, 'host', own, theirs));
    socket.write(proofOf(secret, 'guest', own, theirs));
    require(await bytes(socket, WELCOME.length), WELCOME);
  });
}

/** @throws MtcpError `engine` if the other side is no process of this meeting */
export async function greetAsHost(socket: Socket, secret: Secret): Promise<void> {
  const own = randomBytes(RANDOM);
  await within(socket, async () => {
    require(await bytes(socket, GREETING.length), GREETING);
    require(await bytes(socket, 16), Buffer.from(secret.id, 'hex'));
    const theirs = await bytes(socket, RANDOM);
    socket.write(Buffer.concat([own, proofOf(secret, 'host', theirs, own)]));
    require(await bytes(socket, PROOF), proofOf(secret, 'guest', theirs, own));
    socket.write(WELCOME);
  });
}

function require(given: Buffer, expected: Buffer): void {
  if (!timingSafeEqual(given, expected))
    throw new MtcpError('engine', 'somebody who does not belong to this run wanted to join it');
}

/** Closes the connection if it fails or takes long. */
async function within(socket: Socket, talk: () => Promise<void>): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), PATIENCE);
  try {
    await talk();
    // The socket notices only in its next turn that nobody reads from it piece by piece any more.
    await setImmediate();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The next bytes; what comes after them stays in the socket. */
function bytes(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      socket.off('readable', look).off('close', lost).off('error', lost);
    };
    const look = (): void => {
      const read = socket.read(length) as Buffer | null;
      if (!read || read.length < length) return;
      end();
      resolve(read);
    };
    const lost = (): void => {
      end();
      reject(new MtcpError('engine', 'the other side closed the connection while it was greeted'));
    };
    socket.on('readable', look).once('close', lost).once('error', lost);
    if (socket.destroyed) lost();
    else look();
  });
}
