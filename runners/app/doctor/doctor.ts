// mtcp doctor: measures which engines and libraries work on this machine, and says how to get what is missing.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { EngineChoice } from '../../engine/index.js';
import type { Probed } from './probe.js';

export interface EngineDiagnosis extends Probed {
  name: string;
}

export interface Diagnosis {
  versions: Record<string, string>;
  machine: { platform: string; processor: string; cores: number; memory: number; free: number };
  engines: EngineDiagnosis[];
}

const ENGINES: { name: string; choice: EngineChoice }[] = [
  { name: 'onnx', choice: { type: 'onnx', provider: 'cpu' } },
  { name: 'onnx:cuda', choice: { type: 'onnx', provider: 'cuda' } },
  { name: 'onnx:webgpu', choice: { type: 'onnx', provider: 'webgpu' } },
  { name: 'xla', choice: { type: 'xla', plugin: null } },
  { name: 'tensorflow', choice: { type: 'tensorflow' } },
  { name: 'wasm', choice: { type: 'wasm' } },
  { name: 'cpu', choice: { type: 'cpu' } },
];

/** Packages whose versions matter when two machines differ. */
const PACKAGES = [
  'onnxruntime-node',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-node-gpu',
  '@tensorflow/tfjs-backend-wasm',
  'koffi',
  'sharp',
];

const TIMEOUT = 300_000;

/** @param only the engines of these names */
export async function diagnose(
  observe: (name: string, done: number, total: number) => void,
  threads = availableParallelism(),
  only?: readonly string[],
): Promise<Diagnosis> {
  const engines: EngineDiagnosis[] = [];
  const asked = ENGINES.filter(({ name }) => only?.includes(name) ?? true);
  for (const [i, { name, choice }] of asked.entries()) {
    observe(name, i, asked.length);
    engines.push({ name, ...(await inProcess(choice, threads)) });
  }
  // In a container, what it may use counts.
  const limit = process.constrainedMemory() ?? 0;
  const total = totalmem();
  return {
    versions: versions(),
    machine: {
      platform: `${process.platform} ${process.arch}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memory: limit > 0 && limit < total ? limit : total,
      free: freemem(),
    },
    engines,
  };
}

function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const found: Record<string, string> = { node: process.versions.node };
  for (const name of PACKAGES)
    try {
      found[name] = (require(`${name}/package.json`) as { version: string }).version;
    } catch {
      // Not installed, or it does not show its package.json: the engines' own lines say what that means.
    }
  return found;
}

function inProcess(choice: EngineChoice, threads: number): Promise<Probed> {
  return new Promise((resolve) => {
    const script = fileURLToPath(new URL('./probe.js', import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify({ choice, threads })], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT,
    });
    let [out, noise] = ['', ''];
    child.stdout.on('data', (part: Buffer) => (out += part.toString()));
    child.stderr.on('data', (part: Buffer) => (noise += part.toString()));
    const ended = (how: string) => {
      const line = out.trim().split('\n').at(-1) ?? '';
      try {
        resolve(JSON.parse(line) as Probed);
      } catch {
        const last = noise.trim().split('\n').at(-1) ?? '';
        resolve({ ok: false, what: `its process ${how}${last ? `: ${last}` : ''}` });
      }
    };
    child.on('error', (error) => ended(`did not start (${error.message})`));
    child.on('close', (code, signal) => ended(signal ? `was ended by ${signal}` : `ended with code ${code}`));
  });
}
