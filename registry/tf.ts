// TensorFlow.js as mtcp uses it. Everything else imports it from here, so every importer has all of it:
//
// - `@tensorflow/tfjs-core`: tensors, operations, the registry of kernels and gradients;
// - `@tensorflow/tfjs-backend-cpu`: the plain JavaScript backend;
// - the gradients of operations and the methods of tensors (`x.mul(y)`). Core has them as modules for bundlers, which
//   Node cannot load. One bundle of them is made when mtcp is built and lies in dist/vendor.
//
// The package `@tensorflow/tfjs` contains the same and three libraries that mtcp has no use for, in 280 MB.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { version_core } from '@tensorflow/tfjs-core';
export type * from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-cpu';

export * from '@tensorflow/tfjs-core';

const require = createRequire(import.meta.url);
const bundle = fileURLToPath(new URL(`../vendor/tfjs-core-extras-${version_core}.cjs`, import.meta.url));

// A package has the bundle. A checkout that was compiled by tsc alone gets it on first use.
if (!existsSync(bundle)) makeBundle();
require(bundle);

function makeBundle(): void {
  const { buildSync } = require('esbuild') as typeof import('esbuild');
  const partial = `${bundle}.${process.pid}.partial`;
  mkdirSync(new URL('../vendor/', import.meta.url), { recursive: true });
  buildSync({
    stdin: {
      contents: `import '@tensorflow/tfjs-core/dist/register_all_gradients';
        import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';`,
      resolveDir: fileURLToPath(new URL('.//', import.meta.url)),
    },
    outfile: partial,
    bundle: true,
    minify: true,
    legalComments: 'eof',
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  // Several processes may be at it; each of them sees no bundle or a whole one.
  renameSync(partial, bundle);
}
