// The components of trials that came as plain data: those of mtcp, and the plugins that the trials were made with.
import '../../modules/index.js';
import { loadPlugin } from './load-plugin.js';
import type { TrialSpec } from './trial.js';

/** @throws MtcpErrors if a plugin cannot be loaded any more */
export function loadComponents(trials: Iterable<Pick<TrialSpec, 'plugins'>>): void {
  const files = new Set([...trials].flatMap(({ plugins }) => plugins));
  for (const file of files) loadPlugin(file);
}
