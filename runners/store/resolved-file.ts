// resolved.yaml in the folder of a trial, read as it was written: with another checksum it is nobody's configuration.
import { join } from 'node:path';
import { load } from 'js-yaml';
import { MtcpError } from '../../registry/errors.js';
import { entryAt, readText } from '../../registry/support/plain-file.js';
import { isAsWritten } from '../config/resolved.js';

export const RESOLVED = 'resolved.yaml';

/**
 * The text of a trial's configuration; undefined if the folder has none.
 * @throws MtcpError `config` if it cannot be read, or was damaged or edited since
 */
export function readResolved(folder: string): string | undefined {
  const path = join(folder, RESOLVED);
  if (!entryAt(path)) return undefined;
  const text = readText(path, { kind: 'config' });
  if (isAsWritten(text)) return text;
  throw new MtcpError(
    'config',
    'is not what was written when the trial was trained: its checksum is another',
    {
      where: path,
      hint: 'the file is damaged or was edited; the same `mtcp run` writes it again if result.json is removed',
    },
  );
}

/**
 * The trial sections of that configuration, for those who show or log it; undefined if the folder has none.
 * @throws MtcpError `config` as `readResolved`
 */
export function readResolvedSections(folder: string): Record<string, unknown> | undefined {
  const text = readResolved(folder);
  if (text === undefined) return undefined;
  const { name: _name, seeds: _seeds, rows: _rows, ...sections } = load(text) as Record<string, unknown>;
  return sections;
}
