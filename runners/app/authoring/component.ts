// mtcp new component: writes a component from the template of its kind. The file works as it is and is meant to be
// edited.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KINDS, type Kind } from '../../../registry/entry.js';
import { MtcpError } from '../../../registry/errors.js';
import { didYouMean } from '../../../registry/support/near.js';
import { Schemas } from '../../config/schemas.js';
import { trust } from '../../config/trust.js';
import { writeNew } from './files.js';
import { own } from '../../../registry/own.js';

const TEMPLATES = fileURLToPath(new URL('../../../../templates/component/', import.meta.url));

const NAME = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/;

export interface NewComponent {
  file: string;
  kind: Kind;
  name: string;
  /** What an experiment file writes to use it. */
  usage: string;
  /** Settings for the editor, written if there were none above the file. */
  tsconfig?: string;
}

/** What tells an editor and tsc how mtcp reads the file; mtcp itself needs none. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    experimentalDecorators: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
};

/** @param out folder, or a file that ends in .ts */
export function newComponent(kind: string, name: string, out = '.'): NewComponent {
  if (!Object.hasOwn(KINDS, kind))
    throw new MtcpError('usage', `there is no kind "${kind}"`, {
      where: `argument "${kind}"`,
      hint: didYouMean(kind, Object.keys(KINDS)),
    });
  if (!NAME.test(name))
    throw new MtcpError('usage', `"${name}" is not a name for a component`, {
      where: `argument "${name}"`,
      hint: 'lower-case letters and digits, words joined by - or _, such as my-block',
    });
  if (new Schemas().names(kind).includes(name))
    throw new MtcpError('usage', `${kind} "${name}" comes with mtcp already`, {
      where: `argument "${name}"`,
      hint: 'choose another name',
    });
  const file = resolve(/\.m?ts$/.test(out) ? out : join(out, `${name}.ts`));
  const template = readFileSync(join(TEMPLATES, `${kind}.ts`), 'utf8');
  writeNew(file, template.replaceAll('my-block', name).replaceAll('MyBlock', className(name)));
  // Whoever made it writes in it: it need not be trusted again after each change.
  trust({ own: file });
  return {
    file,
    kind: kind as Kind,
    name,
    usage: usageOf(kind as Kind, name),
    tsconfig: ensureTsconfig(file),
  };
}

function ensureTsconfig(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'tsconfig.json'))) return undefined;
    if (folder === dirname(folder)) break;
  }
  const tsconfig = join(dirname(file), 'tsconfig.json');
  writeNew(tsconfig, `${JSON.stringify(TSCONFIG, null, 2)}\n`);
  return tsconfig;
}

function className(name: string): string {
  return name
    .split(/[-_]/)
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join('');
}

const SECTIONS: Partial<Record<Kind, string>> = {
  dataset: 'data',
  transform: 'augment',
  tracker: 'tracking',
};

/** Where the sections of an experiment file have a component of this kind. */
export function usageOf(kind: Kind, name: string, options = ''): string {
  const slot = `{ type: ${name}${options} }`;
  if (['backbone', 'decoder', 'fusion', 'interaction', 'refinement'].includes(kind))
    return `model: { ${kind}: ${slot} }`;
  if (['head', 'loss', 'metric'].includes(kind)) return `tasks: { <task>: { ${kind}: ${slot} } }`;
  if (kind === 'task')
    return `# of a task that a data set declares: { name: <task>, kind: ${name}, channels: <number> }`;
  if (kind === 'auxiliary') return `auxiliary: { <name>: { loss: ${slot}, weight: 1 } }`;
  return `${own(SECTIONS, kind) ?? kind}: ${slot}`;
}
