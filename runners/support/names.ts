// File names from arbitrary names: two names never give the same file, and no file is outside its folder.

/** Most bytes of a made name; endings are added to it. */
const LONGEST = 180;

/**
 * For each given name one that is a single path component and differs from all others, also where case does not
 * count. A name that is free stays as it is; numbers go to those that come later.
 * @param taken names that are used otherwise
 */
export function distinctNames(given: readonly string[], taken: readonly string[] = []): string[] {
  const used = new Set(taken.map(fold));
  const plain = given.map(component);
  // A number must not make of one name what another was given as.
  const asked = new Set(plain.map(fold));
  return plain.map((name) => {
    let made = name;
    for (let number = 2; used.has(fold(made)) || (made !== name && asked.has(fold(made))); number++)
      made = `${name}-${number}`;
    used.add(fold(made));
    return made;
  });
}

/** File systems of other machines compare names without case, and in one form of composed letters. */
const fold = (name: string): string => name.normalize('NFC').toLowerCase();

/** Without what separates folders or cannot be in a name; never `.`, `..` or empty. */
function component(name: string): string {
  // oxlint-disable-next-line no-control-regex
  let plain = name.replace(/[/\\:*?"<>|\u0000-\u001f\u007f]/g, '_');
  while (Buffer.byteLength(plain) > LONGEST) plain = [...plain].slice(0, -1).join('');
  return /^\.*$/.test(plain) ? `_${plain}` : plain;
}
