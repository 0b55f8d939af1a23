// Loads the plugins that an experiment and the files that it extends name, each once. The loader, and with it the
// registry, is only imported for a file that has plugins.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, resolve } from 'node:path';
import { didYouMean } from '../../registry/support/near.js';
import type { Plugin, PluginError, PluginFault } from './load-plugin.js';
import { display, nearFiles } from './compose.js';
import type { ReportFault } from './faults.js';
import { PLUGINS } from './budgets.js';
import { child, type YamlMap, type YamlNode } from './nodes.js';
import type { Schemas } from './schemas.js';
import { SourceText, type Mark } from './source-text.js';

const requireHere = createRequire(import.meta.url);

/** Loads the plugins that these files name. Undefined if one of them has a fault. */
export function loadPlugins(
  files: readonly YamlMap[],
  shipped: Schemas,
  report: ReportFault,
): Plugin[] | undefined {
  const plugins = new Map<string, Plugin>();
  let failed = false;
  const all = files.flatMap(named);
  if (all.length > PLUGINS) {
    report({ mark: all[PLUGINS].mark, message: `an experiment has more than ${PLUGINS} plugins` });
    return undefined;
  }
  for (const { name, mark } of all) {
    const file = resolve(mark.source.folder, name);
    if (plugins.has(file)) continue;
    try {
      const { loadPlugin } = requireHere('./load-plugin.js') as typeof import('./load-plugin.js');
      plugins.set(
        file,
        loadPlugin(file, (kind, name) => shipped.names(kind).includes(name)),
      );
    } catch (error) {
      if ((error as Partial<PluginError>).faults === undefined) throw error;
      failed = true;
      for (const fault of (error as PluginError).faults) reportFault(fault, file, mark, report);
    }
  }
  return failed ? undefined : [...plugins.values()];
}

function named(root: YamlMap): { name: string; mark: Mark }[] {
  const value = child(root, 'plugins');
  const nodes: readonly YamlNode[] = value?.kind === 'list' ? value.items : value ? [value] : [];
  return nodes.flatMap((node) =>
    node.kind === 'scalar' && typeof node.value === 'string' ? [{ name: node.value, mark: node.mark }] : [],
  );
}

/** Reports a fault at its position in the plugin if that is known, else where the plugin is named. */
function reportFault(fault: PluginFault, file: string, mark: Mark, report: ReportFault): void {
  const { message, hint, line, column = 0, length = 1 } = fault;
  if (fault.file === undefined || line === undefined) {
    const near = message.startsWith('there is no such') ? nearFiles(file, /\.m?[jt]s$/) : [];
    report({
      mark,
      message: `"${display(file)}": ${message}`,
      hint: near.length > 0 ? didYouMean(basename(file), near) : hint,
    });
    return;
  }
  const text = readFileSync(fault.file, 'utf8');
  const source = new SourceText(display(fault.file), text, dirname(fault.file), 'plugin', mark);
  const start = source.offset(line, column + 1);
  report({ mark: { source, start, end: start + length, path: [] }, message, hint });
}
