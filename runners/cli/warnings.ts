// Warnings about an experiment file: allowed, and most likely not meant. They change no exit code.
import type { MtcpError } from '../../registry/errors.js';
import { formatErrors, wantsColor } from '../config/format.js';

/** Prints each as a block with its place, on stderr. */
export function tellWarnings(warnings: readonly MtcpError[]): void {
  for (const warning of warnings)
    process.stderr.write(`warning: ${formatErrors([warning], { color: wantsColor(process.stderr) })}\n\n`);
}
