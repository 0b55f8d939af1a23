// Decides which plugins may run. An experiment file names plugins, which are programs, and the file may come from a
// stranger. A command therefore runs a plugin only if its user has trusted it before, even if the command only looks at
// the file. There are two ways to trust a plugin:
//
//   its code   by the hash of the plugin and of what it imports by relative path; changed code must be trusted again
//   its path   whatever the file contains; `mtcp new component` does this for the files that its user writes
//
// The list is in the user's configuration folder, never beside an experiment. A program that uses mtcp as a library runs
// the plugins it loads, as with any import.
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { JsonFormat, TEXTS } from '../../registry/support/json-file.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { PRIVATE_FILE, writeWhole } from '../support/files.js';

/**
 * all: every plugin (a program, or a worker of a run that was allowed); ask: plugins on the list, and others if the user
 * agrees at the terminal; accept: every plugin, which is added to the list; refuse: plugins on the list only.
 */
export type TrustPolicy = 'all' | 'ask' | 'accept' | 'refuse';

let policy: TrustPolicy = 'all';

/** For this process from now on. */
export function setTrust(chosen: TrustPolicy): void {
  policy = chosen;
}

interface TrustList {
  /** SHA-256 of code, to the file that it was in. */
  readonly code: Record<string, string>;
  /** Absolute paths of files that their user writes. */
  readonly own: readonly string[];
}

/** `$MTCP_TRUST_LIST`, or `mtcp/trusted-plugins.json` in the user's folder of configurations. */
export function trustListFile(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME ?? homedir(), '.config');
  return env.MTCP_TRUST_LIST || join(folder, 'mtcp', 'trusted-plugins.json');
}

const LIST = new JsonFormat<TrustList>(
  'a list of trusted plugins',
  {
    type: 'object',
    required: ['code', 'own'],
    properties: { code: TEXTS, own: { type: 'array', items: { type: 'string' } } },
  },
  { kind: 'usage', hint: 'delete it, and trust your plugins again' },
);

/** @throws MtcpError `usage` if there is a list that cannot be read: nothing is trusted by accident */
export const readTrustList = (): TrustList => LIST.find(trustListFile()) ?? { code: {}, own: [] };

/** Puts code, files, or both on the list. */
export function trust(added: { code?: { digest: string; file: string }; own?: string }): void {
  const { code, own } = readTrustList();
  const list = {
    code: { ...code, ...(added.code && { [added.code.digest]: added.code.file }) },
    own: [...new Set([...own, ...(added.own === undefined ? [] : [resolve(added.own)])])],
  };
  const file = trustListFile();
  makeFolder(dirname(file), 0o700);
  writeWhole(file, `${JSON.stringify(list, null, 2)}\n`, PRIVATE_FILE);
}

/** Takes all entries of a file off the list; false if there were none. */
export function distrust(file: string): boolean {
  const path = resolve(file);
  const { code, own } = readTrustList();
  const kept = Object.fromEntries(Object.entries(code).filter(([, from]) => from !== path));
  const left = own.filter((each) => each !== path);
  if (left.length === own.length && Object.keys(kept).length === Object.keys(code).length) return false;
  writeWhole(trustListFile(), `${JSON.stringify({ code: kept, own: left }, null, 2)}\n`, PRIVATE_FILE);
  return true;
}

/** Whether a plugin may run; asks the user if that is the policy and there is a terminal. */
export function mayRun(file: string, digest: string): boolean {
  if (policy === 'all') return true;
  const { code, own } = readTrustList();
  if (Object.hasOwn(code, digest) || (own.includes(file) && isOwn(file))) return true;
  const known = Object.values(code).includes(file);
  if (policy === 'refuse' || (policy === 'ask' && !agrees(file, known))) return false;
  trust({ code: { digest, file } });
  return true;
}

/** A file that others can write is not the user's own. */
function isOwn(file: string): boolean {
  const { uid, mode } = statSync(file);
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o002) === 0);
}

function agrees(file: string, known: boolean): boolean {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  process.stderr.write(
    `${file} ${known ? 'is not the code that you trusted' : 'is code that an experiment asks for'}. Run it, now and later? [y/N] `,
  );
  return /^y(es)?$/i.test(readLine().trim());
}

/** A line from the terminal; loading an experiment is synchronous, and so is this. */
function readLine(): string {
  const terminal = openSync('/dev/tty', 'r');
  try {
    const byte = Buffer.alloc(1);
    let line = '';
    while (line.length < 100 && readSync(terminal, byte, 0, 1, null) === 1 && byte[0] !== 0x0a)
      line += String.fromCharCode(byte[0]);
    return line;
  } finally {
    closeSync(terminal);
  }
}
