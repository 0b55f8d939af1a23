// mtcp validate --deep: besides the checks of the schemas, builds the network of every row under every profile on
// shapes.
import { loadExperiment, profilesOf, validateFiles, type LoadOptions } from '../config/index.js';
import '../../modules/index.js';
import type { MtcpError } from '../../registry/errors.js';
import { findMisfits } from '../model/check.js';
import { gradientFaults } from './check-gradients.js';

/** All faults of all files. Files with faults in themselves are not built. */
export async function validateDeeply(
  files: readonly string[],
  options: LoadOptions,
  observe: (what: string, done: number, total: number) => void = () => {},
): Promise<MtcpError[]> {
  const faults: MtcpError[] = [];
  for (const file of files) {
    const shallow = validateFiles([file], options);
    faults.push(...shallow);
    if (shallow.length > 0) continue;
    for (const profile of options.profile === undefined ? profilesOf(file, options) : [options.profile]) {
      const experiment = loadExperiment(file, { ...options, profile: profile ?? undefined });
      const what = profile === null ? file : `${file}, profile ${profile}`;
      const { trials } = experiment;
      const misfits = await findMisfits(experiment, trials, (done, total) => observe(what, done, total));
      faults.push(...misfits, ...(misfits.length === 0 ? await gradientFaults(experiment, trials) : []));
    }
  }
  const seen = new Set<string>();
  return faults.filter(
    ({ where, message }) => !seen.has(`${where} ${message}`) && seen.add(`${where} ${message}`),
  );
}
