// Settings that all experiments at a site share: how its cluster is used. The file is searched for and not named by
// experiments, so that an experiment runs unchanged elsewhere:
//
//   $MTCP_SITE, or mtcp-site.yaml in the working directory or above it, or ~/.config/mtcp/site.yaml
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { compose } from './compose.js';
import { Faults, throwAll } from './faults.js';
import { Schemas } from './schemas.js';
import { sectionOf, type SectionConfig } from './section.js';
import { validateRoot } from './validate.js';

export interface Site {
  /** Absolute path. */
  readonly file: string;
  readonly launcher?: SectionConfig;
}

const NAME = 'mtcp-site.yaml';
const SECTIONS = ['launcher'];

export interface SiteSearch {
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** Undefined if there is none. An empty MTCP_SITE stands for none. */
export function findSite({ env = process.env, cwd = process.cwd() }: SiteSearch = {}): string | undefined {
  if (env.MTCP_SITE !== undefined) return env.MTCP_SITE === '' ? undefined : resolve(cwd, env.MTCP_SITE);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, NAME);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) break;
  }
  const own = join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config'), 'mtcp', 'site.yaml');
  return existsSync(own) ? own : undefined;
}

/**
 * Like an experiment file it may extend others.
 * @throws MtcpError `config` at what is wrong with it
 */
export function loadSite(file: string): Site {
  const faults = new Faults();
  const composition = compose(file, faults.report);
  if (composition) {
    const { root } = composition;
    for (const [name, { key }] of root.entries)
      if (!SECTIONS.includes(name))
        faults.report({
          mark: key,
          message: `"${name}" does not belong into a site file`,
          hint: `it has ${SECTIONS.join(', ')}; what else experiments share goes into a file that they extend`,
        });
    if (!faults.any) validateRoot(composition, new Schemas(), faults.report);
  }
  throwAll(faults.errors([], composition?.sources ?? []));
  return { file: resolve(file), launcher: sectionOf(composition!.root, 'launcher') };
}
