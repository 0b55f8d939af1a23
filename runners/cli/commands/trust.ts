// mtcp trust: decides which plugins may run.
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { distrust, readTrustList, trust as add, trustListFile } from '../../config/trust.js';

export function declare(command: Command): void {
  command
    .description(
      'Plugins are programs. Commands run one only if you have trusted its code, which this command does without running it. Read it first. After a change you have to trust it again, unless you used --own. Without files it lists what is trusted.',
    )
    .argument('[files...]', 'plugins: files of TypeScript or JavaScript')
    .option('--own', 'trust files that you own, whatever they contain')
    .option('--remove', 'trust these files no longer')
    .option('--list', 'list what is trusted')
    .addHelpText('after', '\nExample:\n  mtcp trust my-gate.ts')
    .action(trust);
}

interface Options {
  own?: boolean;
  remove?: boolean;
  list?: boolean;
}

async function trust(files: readonly string[], { own, remove, list }: Options): Promise<void> {
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
    const digest = await digestOf(file);
    add(own ? { own: file } : { code: { digest, file: resolve(file) } });
    process.stdout.write(
      `${file}: trusted${own ? ', whatever you write into it' : ''} (${trustListFile()})\n`,
    );
  }
}

async function digestOf(file: string): Promise<string> {
  const { digestOfPlugin, PLUGIN_TYPES, PluginError } = await import('../../config/load-plugin.js');
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
