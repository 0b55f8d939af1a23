// Chooses the launcher of an experiment: that of --launcher, else of the file's `launcher` section, else of the site
// file, else this machine. Options of the site apply where the file does not set them.
import './components.js';
import { catalog } from '../../registry/catalog.js';
import { createTrialContainer, type Slot } from '../../registry/container.js';
import { isBatchLauncher, type BatchLauncher, type Launcher } from '../../registry/contracts/launching.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { withDefaults } from '../../registry/options.js';
import { findSite, loadSite, type Experiment, type Site, type SiteSearch } from '../config/index.js';

/** What the site file says, if there is one. */
export function siteHere(search?: SiteSearch): Site | undefined {
  const file = findSite(search);
  return file === undefined ? undefined : loadSite(file);
}

/**
 * @param chosen what --launcher says
 * @returns the launcher's options, all filled in
 */
export function launcherSlot(
  { launcher }: Pick<Experiment, 'launcher'>,
  { chosen, site }: { chosen?: string; site?: Site } = {},
): Slot {
  const sections = [site?.launcher?.slot, launcher?.slot];
  const known = catalog.list('launcher').map(({ name }) => name);
  if (chosen !== undefined && !known.includes(chosen))
    throw new MtcpError('usage', `there is no launcher "${chosen}"`, {
      where: `argument "--launcher ${chosen}"`,
      hint: didYouMean(chosen, known),
    });
  const last = sections.findLast((slot) => slot !== undefined);
  const type = chosen ?? last?.type ?? 'local';
  const given = Object.assign({}, ...sections.filter((slot) => slot?.type === type)) as Record<
    string,
    unknown
  >;
  const { type: _, ...options } = given;
  return { ...withDefaults(catalog.get('launcher', type).options, options), type };
}

export function createLauncher(slot: Slot): Launcher {
  return createTrialContainer([]).create('launcher', slot);
}

/** @throws MtcpError `component` if the slot is not of a batch system */
export function createBatchLauncher(slot: Slot): BatchLauncher {
  const launcher = createLauncher(slot);
  if (isBatchLauncher(launcher)) return launcher;
  throw new MtcpError('component', `launcher "${slot.type}" has no jobs`);
}
