// Prints warnings about an experiment file: things that are allowed but probably not intended. They change no exit
// code.
import type { MtcpError } from '../../registry/errors.js';
import { formatErrors, wantsColor } from '../config/format.js';

/** Prints each as a block with its place, on stderr. */
export function tellWarnings(warnings: readonly MtcpError[]): void {
  for (const warning of warnings)
    process.stderr.write(`warning: ${formatErrors([warning], { color: wantsColor(process.stderr) })}\n\n`);
}
