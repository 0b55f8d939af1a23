// mtcp trust: which plugins may run.
import { resolve } from 'node:path';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { digestOfPlugin, PLUGIN_TYPES, PluginError } from '../config/load-plugin.js';
import { distrust, readTrustList, trust as add, trustListFile } from '../config/trust.js';

interface Options {
  own?: boolean;
  remove?: boolean;
  list?: boolean;
}

export function trust(files: readonly string[], { own, remove, list }: Options): void {
  if (list || files.length === 0) {
    const known = readTrustList();
    for (const file of known.own) process.stdout.write(`${file}  (own: whatever is in it)\n`);
    for (const [digest, file] of Object.entries(known.code))
      process.stdout.write(`${file}  (${digest.slice(0, 12)})\n`);
    return;
  }
  for (const file of files) {
    if (remove) {
      if (distrust(file)) continue;
      const { code, own: ownFiles } = readTrustList();
      throw new MtcpError('usage', 'is not on the list', {
        where: file,
        hint: didYouMean(resolve(file), [...Object.values(code), ...ownFiles]),
      });
    }
    const digest = digestOf(file);
    add(own ? { own: file } : { code: { digest, file: resolve(file) } });
    process.stdout.write(
      `${file}: trusted${own ? ', whatever you write into it' : ''} (${trustListFile()})\n`,
    );
  }
}

function digestOf(file: string): string {
  try {
    return digestOfPlugin(resolve(file));
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    const [{ message, hint }] = error.faults;
    throw new MtcpError('usage', message, {
      where: file,
      hint: hint ?? `name plugins, files that end in ${PLUGIN_TYPES.join(', ')}`,
    });
  }
}
