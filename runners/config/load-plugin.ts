// Loads a user's components: a file named in `plugins:` is bundled with esbuild (TypeScript or JavaScript, with the
// files that it imports by relative path) and run, and announces its components in this process's catalog. Types are
// not checked; that is the task of an editor and tsc.
//
// Everything here is synchronous, so that loading an experiment remains one synchronous function.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync, transformSync, type BuildFailure, type Message } from 'esbuild';
import { catalog } from '../../registry/catalog.js';
import { announcedFrom } from '../../registry/component.js';
import { KINDS, type ComponentEntry } from '../../registry/entry.js';
import { MtcpError, MtcpErrors } from '../../registry/errors.js';
import * as registry from '../../registry/index.js';
import { plainProblem } from '../../registry/support/plain-file.js';
import { callSites } from '../support/call-sites.js';
import { FILE_BYTES } from './budgets.js';
import { optionFaults, fragment } from './component-schemas.js';
import { display } from './compose.js';
import type { PluginComponent } from './schemas.js';
import { mayRun } from './trust.js';

export interface Plugin {
  /** Absolute. */
  readonly file: string;
  /** Changes with its code, not with comments. */
  readonly digest: string;
  readonly components: readonly PluginComponent[];
}

export const PLUGIN_TYPES = ['.ts', '.mts', '.js', '.mjs'];

/** What is wrong with a plugin, and where in it. */
export interface PluginFault {
  readonly message: string;
  readonly hint?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly length?: number;
}

export class PluginError extends Error {
  constructor(readonly faults: readonly PluginFault[]) {
    super(faults.map(({ message }) => message).join('\n'));
  }
}

const loaded = new Map<string, Plugin>();
const requireHere = createRequire(import.meta.url);

type Taken = (kind: string, name: string) => boolean;

/**
 * Loads a plugin once for the life of the process.
 * @param taken whether a component of this name comes with mtcp, which need not be in the catalog yet
 * @throws PluginError
 */
export function loadPlugin(file: string, taken: Taken = () => false): Plugin {
  const known = loaded.get(file);
  if (known) return known;
  checkFile(file);
  const code = compile(file);
  const digest = digestOf(code);
  if (!mayRun(file, digest))
    throw new PluginError([
      {
        message: 'this plugin is a program that you have not trusted, or that has changed since',
        hint: `read it; then mtcp trust ${display(file)}, or --trust with this command`,
      },
    ]);
  const before = new Set(catalog.list());
  try {
    announcedFrom(file, () => run(file, code));
    const entries = catalog.list().filter((entry) => !before.has(entry));
    checkEntries(entries, taken);
    for (const entry of entries) entry.plugin = file;
    const plugin: Plugin = {
      file,
      digest,
      components: entries.map((entry) => ({
        kind: entry.kind,
        name: entry.name,
        summary: entry.summary,
        schema: fragment(entry),
      })),
    };
    loaded.set(file, plugin);
    return plugin;
  } catch (error) {
    // A plugin is in the catalog as a whole or not at all.
    for (const entry of catalog.list()) if (!before.has(entry)) catalog.remove(entry.kind, entry.name);
    throw error instanceof PluginError ? error : new PluginError(failureOf(error, file));
  }
}

/** What identifies the code of a plugin and of what it imports by relative path; none of it is run. @throws PluginError */
export function digestOfPlugin(file: string): string {
  checkFile(file);
  return digestOf(compile(file));
}

/** Of the code without comments and blanks, so that only what runs counts. */
function digestOf(code: string): string {
  const bare = transformSync(code, { minifyWhitespace: true, legalComments: 'none', sourcemap: false }).code;
  return createHash('sha256').update(bare).digest('hex');
}

function checkFile(file: string): void {
  if (!existsSync(file)) throw new PluginError([{ message: 'there is no such file' }]);
  const problem = plainProblem(statSync(file), FILE_BYTES);
  if (problem !== undefined) throw new PluginError([{ message: `this ${problem}` }]);
  if (!PLUGIN_TYPES.includes(extname(file)))
    throw new PluginError([
      { message: `a plugin is a file of TypeScript or JavaScript (${PLUGIN_TYPES.join(', ')})` },
    ]);
  checkImports(file);
}

const IMPORTED = /(?:from|import|require)\s*\(?\s*(['"`])((?:\.{1,2})?\/[^'"`\n]*)\1/g;

/** The compiler reads what is imported to its end, which a pipe or a device has not. */
function checkImports(file: string, seen = new Set<string>()): void {
  if (seen.has(file)) return;
  seen.add(file);
  for (const [, , name] of readFileSync(file, 'utf8').matchAll(IMPORTED)) {
    const path = resolve(dirname(file), name);
    for (const there of [
      path,
      path.replace(/\.(m?)js$/, '.$1ts'),
      ...PLUGIN_TYPES.map((type) => path + type),
    ]) {
      const stat = statSync(there, { throwIfNoEntry: false });
      if (!stat || stat.isDirectory()) continue;
      const problem = plainProblem(stat, FILE_BYTES);
      if (problem !== undefined)
        throw new PluginError([{ message: `what it imports as "${name}" ${problem}` }]);
      checkImports(there, seen);
    }
  }
}

/** One CommonJS script of the file and its relative imports; packages stay outside. */
function compile(file: string): string {
  try {
    const { outputFiles } = buildSync({
      entryPoints: [file],
      absWorkingDir: dirname(file),
      bundle: true,
      write: false,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      charset: 'utf8',
      define: { 'import.meta.url': URL_OF_PLUGIN },
      logLevel: 'silent',
      // The user's own tsconfig is for the editor; the decorators are those that mtcp knows.
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: true } },
    });
    return outputFiles[0].text;
  } catch (error) {
    if ((error as Partial<BuildFailure>).errors === undefined) throw error;
    throw new PluginError((error as BuildFailure).errors.map(fromMessage));
  }

  function fromMessage({ text, location, notes }: Message): PluginFault {
    return {
      message: text,
      hint: notes[0]?.text,
      ...(location && {
        file: location.file === '' ? file : createRequire(file).resolve(`./${location.file}`),
        line: location.line,
        column: location.column,
        length: location.length,
      }),
    };
  }
}

/** In the compiled script, which is no module of its own: what `import.meta.url` is in the file. */
const URL_OF_PLUGIN = '__mtcp_plugin_url';

type Compilable = Module & { _compile(code: string, filename: string): void };

function run(file: string, code: string): void {
  // Errors of plugins, and of components later on, name the lines that their authors wrote.
  process.setSourceMapsEnabled(true);
  const module = new Module(file) as Compilable;
  module.filename = file;
  module.paths = (Module as unknown as { _nodeModulePaths(from: string): string[] })._nodeModulePaths(
    dirname(file),
  );
  const requireThere = createRequire(file);
  // What mtcp provides is this copy of it, wherever the plugin lies.
  module.require = ((name: string): unknown => {
    if (name === 'mtcp/registry') return registry;
    if (name === 'mtcp/nn') return requireHere('../../modules/nn/index.js');
    if (name === '@tensorflow/tfjs-core' || name === '@tensorflow/tfjs')
      return requireHere('../../registry/tf.js');
    if (name === 'mtcp' || name.startsWith('mtcp/'))
      throw new PluginError([
        { message: `a plugin cannot import "${name}"`, hint: 'it may import mtcp/registry and mtcp/nn' },
      ]);
    return requireThere(name);
  }) as NodeJS.Require;
  // On the first line, so that lines keep their numbers.
  module._compile(`const ${URL_OF_PLUGIN} = ${JSON.stringify(pathToFileURL(file).href)};${code}`, file);
}

const NAME = /^[a-z0-9][a-z0-9_-]*$/;

function checkEntries(entries: readonly ComponentEntry[], taken: Taken): void {
  if (entries.length === 0)
    throw new PluginError([
      {
        message: 'this plugin declares no component',
        hint: 'put @component({...}) on a class, or call define({...}); mtcp new component writes an example',
      },
    ]);
  const faults = entries.flatMap((entry): PluginFault[] => {
    const { kind, name, summary, options } = entry;
    const at = positionOf(entry);
    if (!Object.hasOwn(KINDS, kind))
      return [
        { ...at, message: `there is no kind "${kind}"`, hint: `kinds: ${Object.keys(KINDS).join(', ')}` },
      ];
    const what = `${kind} "${name}"`;
    if (taken(kind, name))
      return [{ ...at, message: `${what} comes with mtcp already`, hint: 'give yours another name' }];
    if (!NAME.test(name))
      return [{ ...at, message: `${what}: a name has lower-case letters, digits, - and _` }];
    if (typeof summary !== 'string' || summary === '') return [{ ...at, message: `${what} has no summary` }];
    if (options?.type !== 'object' || options.additionalProperties !== false)
      return [
        {
          ...at,
          message: `${what}: options must be a closed object`,
          hint: 'write defineOptions({...}) with the properties in it',
        },
      ];
    return optionFaults(entry).map(({ message }) => ({ ...at, message }));
  });
  if (faults.length > 0) throw new PluginError(faults);
}

/** Where a component's name is written in its file, as near as text can tell. */
function positionOf({ file, name }: ComponentEntry): Partial<PluginFault> {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.findIndex((text) => new RegExp(`name:\\s*(['"\`])${name}\\1`).test(text));
    if (line < 0) return { file };
    return { file, line: line + 1, column: lines[line].indexOf(name), length: name.length };
  } catch {
    return {};
  }
}

/** An exception while a plugin ran, at the line of it that threw. */
function failureOf(error: unknown, plugin: string): PluginFault[] {
  if (error instanceof MtcpErrors) return error.errors.flatMap((one) => failureOf(one, plugin));
  const place = callSites(error).find(({ script }) => script === plugin);
  const at = place && { file: place.file, line: place.line, column: place.column - 1 };
  if (MtcpError.is(error)) return [{ ...at, message: error.message, hint: error.hint }];
  const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
  return [{ ...at, message: `the plugin fails while it is loaded: ${first}` }];
}
