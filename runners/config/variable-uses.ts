// How variables are written in strings: `${name}`, `${name:-value}`, and `$${` for the text `${`. This file finds the
// uses; variables.ts fills them in.
import type { YamlNode } from './nodes.js';

/** A part of a string with a special meaning. */
export interface Use {
  readonly start: number;
  readonly end: number;
  /** Undefined for an escaped `${` and for a malformed use. */
  readonly name?: string;
  readonly fallback?: string;
  /** Written `$${`, which is `${` as text. */
  readonly escaped?: true;
}

/** `$${` is `${` as text; `${name}` and `${name:-value}` are uses; any other `${` is an error. */
export function usesIn(text: string): Use[] {
  const uses: Use[] = [];
  for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', uses.at(-1)!.end)) {
    if (text[start - 1] === '$' && (uses.at(-1)?.end ?? 0) < start) {
      uses.push({ start: start - 1, end: start + 2, escaped: true });
      continue;
    }
    BRACE.lastIndex = start + 2;
    const brace = BRACE.exec(text);
    if (brace?.[0] !== '}') {
      uses.push({ start, end: start + 2 });
      // Without another closing brace, no further use can follow.
      if (brace === null) break;
      continue;
    }
    const [name, ...rest] = text.slice(start + 2, brace.index).split(':-');
    uses.push({
      start,
      end: brace.index + 1,
      name,
      ...(rest.length > 0 && { fallback: rest.join(':-') }),
    });
  }
  return uses;
}

const BRACE = /[{}]/g;

export const NAME = /^[A-Za-z_][\w.-]*$/;

/** Whether a string uses a variable. */
export function hasVariable(value: unknown): boolean {
  return typeof value === 'string' && value.replaceAll('$${', '').includes('${');
}

/** Escapes a text so that it contains no variables. */
export function escapeVariables(value: string): string {
  return value.replaceAll('${', () => '$${');
}

/** The names that strings below `node` use. */
export function usedVariables(node: YamlNode): Set<string> {
  const names = new Set<string>();
  const visit = (at: YamlNode): void => {
    if (at.kind === 'map') for (const { value } of at.entries.values()) visit(value);
    else if (at.kind === 'list') at.items.forEach(visit);
    else if (typeof at.value === 'string')
      for (const { name } of usesIn(at.value)) if (name !== undefined) names.add(name);
  };
  visit(node);
  return names;
}
