// Loads the components that a trial needs when the trial arrives as plain data: those of mtcp, and its plugins.
import '../../modules/index.js';
import { loadPlugin } from './load-plugin.js';
import type { TrialSpec } from './trial.js';

/** @throws MtcpErrors if a plugin cannot be loaded any more */
export function loadComponents(trials: Iterable<Pick<TrialSpec, 'plugins'>>): void {
  const files = new Set([...trials].flatMap(({ plugins }) => plugins));
  for (const file of files) loadPlugin(file);
}
