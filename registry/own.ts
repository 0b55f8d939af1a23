// Looks up a name from outside in a plain object. `record[name]` would also find inherited properties: a component
// called "constructor", a metric called "toString".

/** What `record` itself has under this name. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Names that a plain object used as a map must not have as keys: setting or missing them gives something else. */
export const isInherited = (name: string): boolean => name in Object.prototype;
