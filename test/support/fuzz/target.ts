// What a fuzzer damages and reads: one format, with a sound file to begin from.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type TrialSpec } from '../../../runners/config/index.js';

export interface Target {
  /** Writes sound files into an empty folder. @returns the one that is damaged */
  make(folder: string): string | Promise<string>;
  /** What is read from it; refusing is an MtcpError. */
  read(path: string): unknown;
  /** There is a checksum: what is read although the file was changed has to be what was written. */
  exact?: true;
  /** Nothing in the file may make this one fail. */
  total?: true;
}

/** Writes a file and the folders above it. */
export const put = (path: string, content: string | Uint8Array): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

export const json = (path: string, value: unknown): string => put(path, JSON.stringify(value, null, 1));

/** As much of a trial as its files need. */
export const TRIAL = {
  experiment: 'test',
  row: 'one',
  seed: 0,
  hash: 'a'.repeat(64),
  config: { train: { epochs: 2 }, scheme: { type: 'equal' } },
  plugins: [],
  sources: {},
  code: {},
} as unknown as TrialSpec;

/** Formats by name. */
export type Targets = Readonly<Record<string, Target>>;
