// Every reader of files that others made or that lay on a disk, and what it does with a damaged one.
import { basename } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import type { Target, Targets } from './target.js';
import { WEIGHTS } from './targets/weights.js';
import { TRIALS } from './targets/trials.js';
import { RECORDS } from './targets/records.js';
import { DATA } from './targets/data.js';

export type { Target } from './target.js';

export const TARGETS: Targets = { ...WEIGHTS, ...TRIALS, ...RECORDS, ...DATA };

/** What a reader did with a damaged file. */
export type Outcome = 'refused' | 'accepted' | { fault: string };

/** Seconds of processor time that any reader may take, and seconds until it hangs, on a busy machine. */
const SLOW = 2;
const HANGS = 60;

export async function attempt(target: Target, path: string, sound: string): Promise<Outcome> {
  const began = performance.now();
  const before = process.cpuUsage();
  let outcome: Outcome;
  try {
    const read = await target.read(path);
    const wrong = target.exact === true && text(read) !== sound;
    outcome = wrong ? { fault: 'wrong acceptance: something else was read' } : 'accepted';
  } catch (error) {
    if (!MtcpError.is(error)) outcome = { fault: `crash: ${(error as Error).stack}` };
    else if (target.total) outcome = { fault: `refused: ${error.format()}` };
    else if (!/\S/.test(error.message)) outcome = { fault: `says nothing about ${basename(path)}` };
    else outcome = 'refused';
  }
  const { user, system } = process.cpuUsage(before);
  const taken = (user + system) / 1e6;
  if (taken > SLOW) return { fault: `slow: ${taken} s` };
  const waited = (performance.now() - began) / 1000;
  return waited > HANGS ? { fault: `hangs: ${waited} s` } : outcome;
}

export const text = (value: unknown): string => JSON.stringify(value) ?? '';
