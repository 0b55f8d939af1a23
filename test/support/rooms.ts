// A handful of tiny rooms and the smoke profile of the shipped tables, for tests that run whole experiments.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const TABLE3 = join(ROOT, 'experiments/table3.yaml');

// One cache for the process: the rooms of the smoke profile are rendered once.
process.env.MTCP_CACHE = mkdtempSync(join(tmpdir(), 'mtcp-cache-'));

// What tests trust is nobody else's business.
process.env.MTCP_TRUST_LIST = join(process.env.MTCP_CACHE, 'trusted-plugins.json');

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'mtcp-test-'));

/** An experiment beside nothing, extending Table 3; `rows` and more as YAML. */
export function experimentFile(yaml: string): string {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'experiment.yaml');
  writeFileSync(file, `name: test\nextends: ${join(ROOT, 'experiments/base/mtcp-nyud.yaml')}\n${yaml}`);
  return file;
}

/** One task, no cross-task part: the smallest trial there is. */
export const DEPTH_ONLY = `{ tasks: { semseg: null, normals: null }, model: { interaction: null, refinement: null }, scheme: { type: equal } }`;
