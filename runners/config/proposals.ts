// Points that a search has proposed, one file each: runs/<experiment>/search/<digest>/0007.json. A file is created by a
// hard link, which only one process can make: processes that share the folder of runs agree on each point.
import { linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { JsonFormat } from '../../registry/support/json-file.js';
import { makeFolder } from '../../registry/support/make-folder.js';
import { isPoint, type Point, type SearchSpec } from './search-space.js';

export interface Proposal {
  /** Counts from 1. */
  readonly index: number;
  readonly point: Point;
}

const FORMAT = new JsonFormat<{ point: Point }>(
  'a proposal of a search',
  {
    type: 'object',
    required: ['point'],
    properties: { point: { type: 'object', additionalProperties: { type: ['number', 'string'] } } },
  },
  { hint: 'delete the file: the search proposes another point' },
);

/** @param runs folder of all runs */
export const searchFolder = (
  runs: string,
  experiment: string,
  { digest }: Pick<SearchSpec, 'digest'>,
): string => join(runs, experiment, 'search', digest);

const NAME = /^(\d{4,})\.json$/;

/** The points so far, by index. @throws MtcpError if a file is damaged */
export function readProposals(folder: string, spec: SearchSpec): Proposal[] {
  return listed(folder)
    .map(({ index, name }) => ({ index, point: FORMAT.read(join(folder, name)).point }))
    .filter(({ point }) => isPoint(spec, point));
}

/** Of the next proposal. */
export const nextIndex = (folder: string): number => (listed(folder).at(-1)?.index ?? 0) + 1;

function listed(folder: string): { index: number; name: string }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const found = NAME.exec(name);
      return found ? [{ index: Number(found[1]), name }] : [];
    })
    .sort((a, b) => a.index - b.index);
}

/** Keeps a point under its index, unless another process was faster. */
export function writeProposal(folder: string, { index, point }: Proposal): void {
  makeFolder(folder);
  const draft = join(folder, `.${randomUUID()}`);
  writeFileSync(draft, `${JSON.stringify({ point })}\n`);
  try {
    linkSync(draft, join(folder, `${String(index).padStart(4, '0')}.json`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
