// Where an exception was thrown, from V8's structured call sites. The text of a stack trace is for people: paths in it
// may have spaces, parentheses and colons, and cannot be told from what surrounds them.
import { findSourceMap } from 'node:module';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface CallSite {
  /** Path of the code that ran, such as that of a compiled plugin. */
  readonly script: string;
  /** Path of the source, where a source map is known; otherwise the script's. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/**
 * The calls in files that led to this exception, innermost first, without those inside of Node.
 * @returns nothing if it is no exception, or if its stack trace was turned into text before
 */
export function callSites(error: unknown): CallSite[] {
  if (!(error instanceof Error)) return [];
  const before = Error.prepareStackTrace;
  let sites: NodeJS.CallSite[] = [];
  Error.prepareStackTrace = (thrown, trace) => {
    if (thrown === error) sites = trace;
    return before
      ? before(thrown, trace)
      : `${String(thrown)}${trace.map((at) => `\n    at ${at}`).join('')}`;
  };
  try {
    void error.stack; // formatted at the first look
  } finally {
    Error.prepareStackTrace = before;
  }
  return sites.flatMap(placeOf);
}

function placeOf(site: NodeJS.CallSite): CallSite[] {
  const script = pathOf(site.getFileName());
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()];
  if (script === undefined || line === null || column === null) return [];
  const entry = findSourceMap(site.getFileName()!)?.findEntry(line - 1, column - 1);
  if (!entry || !('originalSource' in entry)) return [{ script, file: script, line, column }];
  const file = pathOf(entry.originalSource) ?? script;
  return [{ script, file, line: entry.originalLine + 1, column: entry.originalColumn + 1 }];
}

function pathOf(name: string | null | undefined): string | undefined {
  if (name?.startsWith('file:')) return fileURLToPath(name);
  return name && isAbsolute(name) ? name : undefined;
}
