// mtcp demo: a folder of static files in which a trained trial runs in the browser. The page is templates/demo, the thread
// that computes is worker.ts bundled with the components of the trial, and onnxruntime-web is copied from its package.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { catalog } from '../../../registry/catalog.js';
import type { ComponentEntry } from '../../../registry/entry.js';
import { MtcpError } from '../../../registry/errors.js';
import { kindOf } from '../../../registry/kinds.js';
import { writeFolder } from '../../support/files.js';
import { onnxModel, type OnnxDescription, type OnnxModel, type OnnxModelOptions } from '../export.js';
import type { DemoSettings } from './settings.js';

export interface DemoOptions extends OnnxModelOptions {
  /** Folder to write. */
  out: string;
}

export interface Demo extends OnnxDescription {
  out: string;
  bytes: number;
  files: string[];
}

const TEMPLATES = fileURLToPath(new URL('../../../../templates/demo/', import.meta.url));
const WORKER = fileURLToPath(new URL('worker.js', import.meta.url));
/** Of onnxruntime-web: what runs on the processor, without WebGPU and WebGL. */
const RUNTIME = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];
/** What mtcp is tested with. */
const RUNTIME_VERSION = '1.30';
const OWN = /^(index\.html|page\.js|style\.css|worker\.js|model\.json|model\.onnx|ort)$/;

/**
 * @throws MtcpError `usage` if there is no such trial or onnxruntime-web is not installed, `component` if a component
 * cannot run in a browser
 */
export async function makeDemo({ out, ...options }: DemoOptions): Promise<Demo> {
  const runtime = runtimeFolder();
  const made = await onnxModel(options);
  const settings = settingsOf(made);
  const worker = await bundle(made);
  const page = readdirSync(TEMPLATES);
  writeFolder(out, OWN, (folder) => {
    for (const name of page) writeFileSync(join(folder, name), readFileSync(join(TEMPLATES, name)));
    writeFileSync(join(folder, 'worker.js'), worker);
    writeFileSync(join(folder, 'model.json'), `${JSON.stringify(settings, null, 2)}\n`);
    writeFileSync(join(folder, 'model.onnx'), made.model);
    mkdirSync(join(folder, 'ort'));
    for (const name of RUNTIME) copyFileSync(join(runtime, name), join(folder, 'ort', name));
  });
  const files = [...page, 'worker.js', 'model.json', 'model.onnx', ...RUNTIME.map((name) => `ort/${name}`)];
  return { out, bytes: made.model.byteLength, ...made.described, files };
}

/**
 * Where the files of onnxruntime-web lie: in the packages of mtcp or of the working folder.
 * @throws MtcpError `usage`
 */
function runtimeFolder(): string {
  for (const from of [import.meta.url, resolve('package.json')])
    try {
      const folder = dirname(createRequire(from).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
      if (RUNTIME.every((name) => existsSync(join(folder, name)))) return folder;
    } catch {
      // Not there.
    }
  throw new MtcpError(
    'usage',
    'the package onnxruntime-web, which runs the model in the page, is not installed',
    {
      hint: `npm install --no-save onnxruntime-web@${RUNTIME_VERSION}`,
    },
  );
}

function settingsOf({ trial, tasks, transform, colours }: OnnxModel): DemoSettings {
  return {
    title: trial.row,
    about: `${trial.experiment}, seed ${trial.seed}, trial ${trial.hash.slice(0, 12)}`,
    size: transform.size,
    fit: transform.fit === 'pad' ? 'pad' : 'stretch',
    transform: { ...trial.config.augment, size: [...transform.size] },
    colours,
    tasks: tasks.map((task) => ({ ...task, meaning: kindOf(task).meaning })),
  };
}

/**
 * worker.ts with the trial's pipeline and kinds of tasks.
 * @throws MtcpError `component`
 */
async function bundle({ trial, tasks }: OnnxModel): Promise<string> {
  const entries: ComponentEntry[] = [
    catalog.get('transform', trial.config.augment.type) as unknown as ComponentEntry,
    ...tasks.map(({ kind }) => catalog.get('task', kind) as unknown as ComponentEntry),
  ];
  for (const { kind, name, plugin } of entries)
    if (plugin !== undefined)
      throw new MtcpError(
        'component',
        `${kind} "${name}" comes from a plugin, and a page has only components of mtcp`,
        {
          where: plugin,
          hint: '`mtcp export` writes the network for other programs',
        },
      );
  const files = new Set([...entries.map(({ file }) => file), WORKER]);
  const { outputFiles } = await build({
    stdin: {
      contents: [...files].map((file) => `import ${JSON.stringify(file)};`).join('\n'),
      resolveDir: dirname(WORKER),
    },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'eof',
    logLevel: 'silent',
    // All that the bundled code asks of Node's Buffer: the bytes of a text.
    define: { 'Buffer.from': 'bytesOf' },
    banner: { js: 'const bytesOf = (text) => new TextEncoder().encode(text);' },
    plugins: [
      {
        // Paths of files, which only messages of a program have; nothing else of Node is needed.
        name: 'paths',
        setup(on) {
          on.onResolve({ filter: /^node:url$/ }, ({ path }) => ({ path, namespace: 'paths' }));
          on.onLoad({ filter: /.*/, namespace: 'paths' }, () => ({
            contents: 'export const fileURLToPath = String;',
          }));
        },
      },
    ],
  });
  return outputFiles[0].text;
}
