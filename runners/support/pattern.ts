// Name patterns of optimizer groups and auxiliary losses.

/** True if `name` is what `pattern` says, * standing for any characters. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
