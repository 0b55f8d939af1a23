// Costs of operators as a tree of modules. An operator belongs to the module that recorded it; modules have the names
// of their parameters, for example backbone.model.pixel_level_module.encoder. Beside them are losses.<task> and
// scheme. Operators without a name have a branch of their own.

/** What one operator took. */
export interface OperatorCost {
  /** Dotted name of its module, after `gradient of ` if it is part of the backward pass; '' outside of all. */
  label: string;
  /** Seconds a step. */
  seconds: number;
  /** Bytes it leaves. */
  bytes: number;
  flops: number;
}

export interface ModuleCost {
  /** Last part of the dotted name. */
  name: string;
  path: string;
  /** With everything below it. */
  seconds: number;
  /** Of these, those of the backward pass. */
  backward: number;
  bytes: number;
  flops: number;
  operators: number;
  /** The most costly first. */
  children: ModuleCost[];
}

const OUTSIDE = 'objective';
const BACKWARD = /^gradient of /;

export function costTree(name: string, operators: readonly OperatorCost[]): ModuleCost {
  const root = empty(name, '');
  for (const { label, seconds, bytes, flops } of operators) {
    let at = root;
    const module = label.replace(BACKWARD, '');
    const parts = module === '' ? [OUTSIDE] : module.split('.');
    const backward = module === label ? 0 : seconds;
    for (let depth = 0; ; depth++) {
      at.seconds += seconds;
      at.backward += backward;
      at.bytes += bytes;
      at.flops += flops;
      at.operators++;
      if (depth === parts.length) break;
      const path = parts.slice(0, depth + 1).join('.');
      let child = at.children.find((other) => other.path === path);
      if (!child) at.children.push((child = empty(parts[depth], path)));
      at = child;
    }
  }
  sort(root);
  return root;
}

const empty = (name: string, path: string): ModuleCost => ({
  name,
  path,
  seconds: 0,
  backward: 0,
  bytes: 0,
  flops: 0,
  operators: 0,
  children: [],
});

function sort(module: ModuleCost): void {
  module.children.sort((a, b) => b.seconds - a.seconds);
  module.children.forEach(sort);
}

/** Chains of modules with a single part, as one: what a table or picture shows. */
export function collapsed(module: ModuleCost): ModuleCost {
  const [only, ...more] = module.children;
  if (only && more.length === 0 && only.operators === module.operators && module.path !== '')
    return collapsed({ ...only, name: `${module.name}.${only.name}` });
  return { ...module, children: module.children.map(collapsed) };
}

/** The tree as lines, to a depth; parts below `least` of the whole are left out. */
export function flatten(root: ModuleCost, depth: number, least = 0): { module: ModuleCost; depth: number }[] {
  const lines: { module: ModuleCost; depth: number }[] = [];
  const visit = (module: ModuleCost, level: number) => {
    if (level > depth || module.seconds < least * root.seconds) return;
    lines.push({ module, depth: level });
    for (const child of module.children) visit(child, level + 1);
  };
  visit(root, 0);
  return lines;
}
