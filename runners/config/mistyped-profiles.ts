// Finds profiles whose name is probably mistyped. A file may add profiles to those that it inherits, so "embeded" beside
// an inherited "embedded" is a profile of its own, which nobody asks for: what it changes has no effect.
import { editDistance } from '../../registry/support/near.js';
import type { Composition } from './compose.js';
import type { Faults } from './faults.js';
import { child } from './nodes.js';

/** Letters that differ. */
const FEW = 2;

/** Warns of profiles of the file's own that are spelled nearly as an inherited one. */
export function warnOfMistypedProfiles({ files }: Composition, faults: Faults): void {
  const own = child(files.at(-1)!, 'profiles');
  if (own?.kind !== 'map') return;
  const inherited = files.slice(0, -1).flatMap((file) => {
    const profiles = child(file, 'profiles');
    return profiles?.kind === 'map' ? [...profiles.entries.keys()] : [];
  });
  for (const [name, { key }] of own.entries) {
    const near = inherited.find((other) => isNearly(name, other));
    if (inherited.includes(name) || near === undefined) continue;
    faults.warn({
      mark: key,
      message: `profile "${name}" is new, beside the inherited "${near}"`,
      hint: `did you mean "${near}"? If not, choose a name that is easier to tell apart`,
    });
  }
}

/** "full2" is no slip of "full". */
const isNearly = (name: string, other: string): boolean =>
  !name.includes(other) && editDistance(name, other, FEW) <= FEW;
