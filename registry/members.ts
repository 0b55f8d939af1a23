// The members that a component of each kind must have, according to the contracts. Checked at run time for components
// that no compiler has checked.
import type { Contracts, Kind } from './entry.js';
import { MtcpError } from './errors.js';

/** Names of the required members. A launcher is one of two things and is looked at where it is used. */
const MEMBERS: { readonly [K in Kind]: readonly (keyof Contracts[K] & string)[] } = {
  backbone: ['forward'],
  decoder: ['forward'],
  fusion: ['forward'],
  interaction: ['forward'],
  refinement: ['forward'],
  head: ['forward'],
  loss: ['forward'],
  auxiliary: ['forward'],
  scheme: ['project', 'combine', 'weights', 'state', 'restore'],
  metric: ['values', 'start'],
  task: [
    'meaning',
    'batch',
    'labelChannels',
    'smooth',
    'outside',
    'decode',
    'resampling',
    'sixteen',
    'colour',
    'legend',
    'tally',
    'usual',
  ],
  dataset: ['tasks', 'prepare', 'ids', 'load'],
  transform: ['train', 'evaluate', 'size'],
  optimizer: ['rate', 'slots', 'scalars', 'update'],
  schedule: ['factor'],
  tracker: ['follow'],
  launcher: [],
};

/** @throws MtcpError if what a plugin made for a component is no component of that kind */
export function requireMembers<K extends Kind>(kind: K, name: string, made: Contracts[K]): void {
  const needed = MEMBERS[kind];
  if (typeof made !== 'object' || made === null)
    throw new MtcpError(
      'component',
      `${kind} "${name}" makes ${made === undefined ? 'nothing' : String(made)}`,
      {
        hint: `return an object with ${needed.join(', ')}`,
      },
    );
  if ('then' in made)
    throw new MtcpError(
      'component',
      `${kind} "${name}" is made by an async function, and nothing waits for it`,
      {
        hint: 'make it without async and await',
      },
    );
  const missing = needed.filter((member) => made[member] === undefined);
  if (missing.length > 0)
    throw new MtcpError('component', `${kind} "${name}" has no ${missing.join(', no ')}`, {
      hint: `every ${kind} has ${needed.join(', ')} (docs/extending.md)`,
    });
}
