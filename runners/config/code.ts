// Digests of the code that a trial's configuration names. Changed code makes another trial, both for a user's plugin
// and for a component of mtcp. The digests of mtcp's own components are made by the build (app/generate-digests.ts).
import { readFileSync } from 'node:fs';
import { MtcpError } from '../../registry/errors.js';
import type { Plugin } from './load-plugin.js';
import type { TrialConfig } from './trial.js';

/** Made by the build, beside the components: `kind/name` to a digest of its code without comments. */
export const DIGESTS = new URL('../../modules/digests.json', import.meta.url);

let shipped: ReadonlyMap<string, string> | undefined;

/** @throws MtcpError `io` if the build was not finished */
function shippedDigests(): ReadonlyMap<string, string> {
  if (shipped) return shipped;
  try {
    shipped = new Map(Object.entries(JSON.parse(readFileSync(DIGESTS, 'utf8')) as Record<string, string>));
  } catch (cause) {
    throw new MtcpError('io', 'the digests of the components are missing or cannot be read', {
      where: DIGESTS.pathname,
      hint: 'in a checkout, `npm run build` makes them; an installed package has lost a file: install it again',
      cause,
    });
  }
  return shipped;
}

/**
 * `kind/name` of each component that a configuration may name to the digest of its code. A name inside options does
 * not say its kind, so components of other kinds with that name count too.
 */
export function codeOf(config: TrialConfig, plugins: readonly Plugin[]): Record<string, string> {
  const types = new Set<unknown>();
  JSON.stringify(config, (key, value: unknown) => {
    if (key === 'type') types.add(value);
    return value;
  });
  const digests = new Map(shippedDigests());
  for (const { digest, components } of plugins)
    for (const { kind, name } of components) digests.set(`${kind}/${name}`, digest);
  const named = [...digests].filter(([key]) => types.has(key.slice(key.indexOf('/') + 1)));
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}
