// Part of the build: writes digests.json beside the components. The digest of a component covers its own file and
// every file of modules/ that it imports. Files are compiled, and comments and blanks removed, so that only changes
// of code count.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import '../../modules/index.js';
import { catalog } from '../../registry/catalog.js';
import { DIGESTS } from '../config/code.js';

const MODULES = dirname(fileURLToPath(DIGESTS));

interface Compiled {
  digest: string;
  imports: string[];
}

const compiled = new Map<string, Compiled>();

function compiledOf(file: string): Compiled {
  let known = compiled.get(file);
  if (!known) {
    const { code } = transformSync(readFileSync(file, 'utf8'), {
      format: 'esm',
      minifyWhitespace: true,
      legalComments: 'none',
    });
    const imports = [...code.matchAll(/(?:from|import)\(?"(\.[^"]+)"/g)].map(([, path]) =>
      join(dirname(file), path),
    );
    const digest = createHash('sha256').update(code).digest('hex');
    compiled.set(file, (known = { digest, imports: imports.filter(isComponentCode) }));
  }
  return known;
}

/**
 * Code outside of modules/ (contracts, random streams, the engine, training) does not count: HASH_VERSION is raised
 * where it changes results. Neither does what a worker thread loads by URL; what renderers make counts as data.
 */
const isComponentCode = (file: string): boolean => !relative(MODULES, file).startsWith('..');

/** Digests of a file and of all that it imports, in an order that no path decides. */
function closure(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const imported of compiledOf(file).imports) closure(imported, seen);
  return seen;
}

export function digestsOfComponents(): Record<string, string> {
  const own = catalog.list().filter(({ file, plugin }) => plugin === undefined && isComponentCode(file));
  return Object.fromEntries(
    own.map(({ kind, name, file }) => {
      const parts = [...closure(file)].map((each) => compiledOf(each).digest).sort();
      return [`${kind}/${name}`, createHash('sha256').update(parts.join()).digest('hex').slice(0, 16)];
    }),
  );
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(DIGESTS, `${JSON.stringify(digestsOfComponents(), null, 1)}\n`);
