// What processes that share a step take to add up their gradients: `node dist/bench/exchange.js [numbers] [processes]`.
// The processes are on this machine, so the time is that of memory and of the loopback interface; a network adds its own.
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { call, join, MEETING } from '../runners/support/team/meeting.js';
import type { Team } from '../runners/support/team/team.js';

/** Parameters of the paper's network. */
const NUMBERS = 70_000_000;
const TIMES = 5;

/** @returns seconds of each exchange */
async function exchange(team: Team, numbers: number): Promise<number[]> {
  const vector = new Float32Array(numbers).fill(team.index + 1);
  const mean = (team.of + 1) / 2;
  const seconds: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    vector.fill(team.index + 1);
    // All of them begin together.
    await team.gather(async () => null);
    const began = performance.now();
    await team.mean(vector, team.of);
    seconds.push((performance.now() - began) / 1000);
    if (vector[0] !== mean || vector[numbers - 1] !== mean) throw new Error('the sum is wrong');
  }
  return seconds;
}

const [first, second] = process.argv.slice(2);
if (existsSync(first ?? '')) {
  const team = await join(MEETING.read(first));
  await exchange(team, Number(second));
  await team.leave();
} else {
  const [numbers, of] = [Number(first ?? NUMBERS), Number(second ?? 2)];
  const file = joinPath(mkdtempSync(joinPath(tmpdir(), 'mtcp-exchange-')), 'meeting.json');
  const meeting = call(file, { others: of - 1, isLocal: true });
  while (!existsSync(file)) await sleep(10);
  for (let i = 1; i < of; i++) fork(fileURLToPath(import.meta.url), [file, String(numbers)]);
  const team = await meeting;
  const seconds = await exchange(team, numbers);
  const { sent } = team.moved;
  await team.dismiss();
  const middle = seconds.sort((a, b) => a - b)[Math.floor(TIMES / 2)];
  process.stdout.write(
    `${numbers} numbers, ${of} processes: ${(middle * 1000).toFixed(0)} ms (median of ${TIMES}), ${(sent / TIMES / 1e6).toFixed(0)} MB out of and into each process\n`,
  );
}
