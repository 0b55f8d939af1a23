// Teams whose processes are all this one, for tests.
import { existsSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, join, MEETING, type Meeting } from '../../runners/support/team/meeting.js';
import type { Team } from '../../runners/support/team/team.js';
import { temporaryFolder } from './rooms.js';

export const meetingFile = (): string => joinPath(temporaryFolder(), 'meeting.json');

/** The meeting that a file calls for, as soon as it does. */
export async function calledFor(file: string): Promise<Meeting> {
  while (!existsSync(file)) await sleep(5);
  return MEETING.find(file)!;
}

/** A team of so many, in their order. */
export async function meet(of: number, patience = 10_000): Promise<Team[]> {
  const file = meetingFile();
  const leader = call(file, { others: of - 1, isLocal: true, patience });
  const meeting = await calledFor(file);
  const others = await Promise.all(Array.from({ length: of - 1 }, () => join(meeting, patience)));
  return [await leader, ...others].sort((a, b) => a.index - b.index);
}

/** The end that a team comes to when its work is done. */
export async function dismiss([leader, ...others]: readonly Team[]): Promise<void> {
  const left = others.map(async (team) => {
    if ((await team.told()) === 'end') await team.leave();
  });
  leader.tell('end');
  await leader.dismiss();
  await Promise.all(left);
}
