// What mtcp list, describe and schema share: the catalog of built-in components and of a file's plugins.
import { catalog, type Catalog } from '../../registry/catalog.js';
import { KINDS, type ComponentEntry, type Kind } from '../../registry/entry.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { loadPluginsOf } from '../config/index.js';

/** @param file an experiment file whose plugins count too */
export async function fullCatalog(file?: string): Promise<Catalog> {
  await import('../../modules/index.js');
  await import('../launching/components.js');
  await import('../tracking/index.js');
  if (file !== undefined) loadPluginsOf(file);
  return catalog;
}

export const isKind = (name: string): name is Kind => Object.hasOwn(KINDS, name);

export /** An entry as JSON shows it. */
const plain = ({ kind, name, summary, source, tasks, plugin, options }: ComponentEntry) => ({
  kind,
  name,
  summary,
  source,
  tasks,
  plugin,
  options,
});

export function unknownKind(kind: string): MtcpError {
  const matching = catalog.list().filter(({ name }) => name === kind);
  const known = Object.keys(KINDS);
  return new MtcpError('usage', `there is no kind "${kind}"`, {
    where: `argument "${kind}"`,
    hint:
      matching.length > 0
        ? `"${kind}" is a ${matching[0].kind}: mtcp describe ${kind}`
        : `${didYouMean(kind, known)}`.replace(/^known:/, 'kinds:'),
  });
}
