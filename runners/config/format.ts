// Formats errors as blocks for a terminal: the same text everywhere, in colour where wanted.
import { styleText } from 'node:util';
import { MtcpErrors, type MtcpError } from '../../registry/errors.js';

export interface FormatOptions {
  /** See `wantsColor`. */
  color?: boolean;
}

/** Colour only on a terminal, and only without NO_COLOR (https://no-color.org). */
export function wantsColor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/** One block per error, an empty line between two. */
export function formatErrors(errors: readonly MtcpError[], { color = false }: FormatOptions = {}): string {
  const single = errors.flatMap((error) => (error instanceof MtcpErrors ? error.errors : [error]));
  return single.map((error) => (color ? colored(error) : error.format())).join('\n\n');
}

function colored({ where, message, frame, hint }: MtcpError): string {
  const head =
    where === undefined ? paint('bold', message) : `${paint('bold', where)}: ${paint('red', message)}`;
  const lines = frame?.split('\n').map((line) => {
    if (/^ *\| *\^+$/.test(line)) return paint('red', line);
    return line.startsWith('>') ? line : paint('dim', line);
  });
  return [head, ...(lines ?? []), ...(hint === undefined ? [] : [paint('cyan', hint)])].join('\n');
}

type Paint = (style: string, text: string, options: { validateStream: boolean }) => string;

/** Newer versions of Node would ask stdout whether to colour; the caller has decided, for its own stream. */
function paint(style: 'bold' | 'red' | 'dim' | 'cyan', text: string): string {
  return (styleText as Paint)(style, text, { validateStream: false });
}
