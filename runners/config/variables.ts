// Variables: values that an experiment declares once, under `variables:`, and uses as ${name} in strings of its
// trial sections. They are filled in last, when all layers are merged, so profiles, rows, sweeps and arguments set
// them like anything else. The environment is only asked for a variable whose declaration names one.
//
//   variables:
//     epochs: 100                                        a value
//     root: { default: data/NYUD_MT, environment: NYUD_ROOT }
//   train: { epochs: "${epochs}" }                       the number itself
//   data: { root: "${root}/v2", note: "${tag:-none}" }   inside a text; with a value in case there is none
import { nearestNames } from '../../registry/support/near.js';
import type { Report } from './faults.js';
import { readGiven } from './given.js';
import { child, isNull, text, type Entry, type MapNode, type Node, type ScalarNode } from './nodes.js';
import { Source, where, type Mark } from './source.js';
import { own } from '../../registry/own.js';

/** `$${` is `${` as text; `${name}` and `${name:-value}` are uses; any other `${` is a slip. */
const PLACE = /\$\$\{|\$\{([^{}]*?)(?::-([^{}]*))?\}|\$\{/g;
const NAME = /^[A-Za-z_][\w.-]*$/;

/** Whether a string waits for a variable. */
export function hasVariable(value: unknown): boolean {
  return typeof value === 'string' && value.replaceAll('$${', '').includes('${');
}

/** Written so that it is read as this text. */
export function escapeVariables(value: string): string {
  return value.replaceAll('${', () => '$${');
}

/** The names that strings below `node` use. */
export function usedVariables(node: Node): Set<string> {
  const names = new Set<string>();
  const visit = (at: Node): void => {
    if (at.kind === 'map') for (const { value } of at.entries.values()) visit(value);
    else if (at.kind === 'list') at.items.forEach(visit);
    else if (typeof at.value === 'string')
      for (const [, name] of at.value.matchAll(PLACE)) if (name !== undefined) names.add(name);
  };
  visit(node);
  return names;
}

/** A merged trial with its variables filled in, and without `variables` itself. */
export function fillVariables(trial: MapNode, report: Report, environment: NodeJS.ProcessEnv): MapNode {
  const entries = new Map(trial.entries);
  const removed = new Map(trial.removed);
  const declared = entries.get('variables')?.value;
  entries.delete('variables');
  removed.delete('variables');
  const variables = new Variables(declared?.kind === 'map' ? declared : undefined, report, environment);
  return variables.fill({ ...trial, entries, removed }) as MapNode;
}

/** What a variable holds; undefined if it is declared without a value. */
type Held = Node | undefined;

class Variables {
  readonly #known = new Map<string, Held>();
  readonly #open: string[] = [];

  constructor(
    private readonly declared: MapNode | undefined,
    private readonly report: Report,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** The same tree with every use replaced; parts without any are kept as they are. */
  fill(node: Node): Node {
    if (node.kind === 'scalar')
      return typeof node.value === 'string' && node.value.includes('${')
        ? this.#text(node, node.value)
        : node;
    if (node.kind === 'list') {
      const items = node.items.map((item) => this.fill(item));
      return items.every((item, i) => item === node.items[i]) ? node : { ...node, items };
    }
    let changed = false;
    const entries = new Map<string, Entry>();
    for (const [name, entry] of node.entries) {
      const value = this.fill(entry.value);
      if (value !== entry.value && name === 'type') this.#variableType(entry.value);
      // A variable may hold null; like a written one it removes.
      entries.set(name, value === entry.value ? entry : { ...entry, value });
      changed ||= value !== entry.value;
    }
    return changed ? dropNulls({ ...node, entries }) : node;
  }

  #variableType({ mark }: Node): void {
    this.report({
      mark,
      message: 'a type cannot be a variable',
      hint: 'what the options around it mean depends on it; write whole slots into rows or a sweep',
    });
  }

  #text(node: ScalarNode, written: string): Node {
    const uses = [...written.matchAll(PLACE)];
    const [{ 0: whole, 1: name, 2: fallback }] = uses;
    if (whole === written && name !== undefined) return this.#whole(node, name, fallback);
    let filled: Mark['filled'];
    let failed = false;
    const text = written.replace(PLACE, (use: string, name: string | undefined, fallback, at: number) => {
      if (use === '$${') return '${';
      const held =
        name === undefined
          ? this.#slip(node.mark)
          : this.#use(name, fallback as string | undefined, node.mark);
      failed ||= held === undefined;
      if (held === undefined) return '';
      filled ??= { name: `\${${name}}`, mark: held.mark, leads: at === 0 };
      if (held.kind === 'scalar') return held.value === null ? '' : String(held.value);
      this.report({
        mark: node.mark,
        message: `"\${${name}}" is a ${held.kind}, which cannot be part of a text`,
        hint: 'a list can only be the whole value',
      });
      failed = true;
      return '';
    });
    if (failed) return { ...node, unfilled: true };
    return { ...node, value: text, mark: filled ? { ...node.mark, filled } : node.mark };
  }

  /** `${name}` and nothing else: the variable's value with its own type. */
  #whole(node: ScalarNode, name: string, fallback: string | undefined): Node {
    const held = this.#use(name, fallback, node.mark);
    if (held === undefined) return { ...node, unfilled: true };
    const filled = { name: `\${${name}}`, mark: held.mark, leads: true };
    const moved = (at: Node): Node =>
      at.kind === 'list'
        ? { ...at, items: at.items.map(moved), mark: { ...node.mark, filled } }
        : { ...at, mark: { ...node.mark, filled } };
    return moved(held);
  }

  #slip(mark: Mark): undefined {
    this.report({
      mark,
      message: 'this "${" does not begin a variable',
      hint: 'write ${name} or ${name:-value}; $${ is ${ as text',
    });
    return undefined;
  }

  /** The value for a use; undefined after a fault. */
  #use(name: string, fallback: string | undefined, mark: Mark): Held {
    if (!NAME.test(name)) return this.#slip(mark);
    if (!this.declared?.entries.has(name)) return this.#unknown(name, mark);
    if (this.#open.includes(name)) {
      const names = [...this.#open.slice(this.#open.indexOf(name)), name].map((each) => `\${${each}}`);
      this.report({ mark, message: `this variable needs itself: ${names.join(' -> ')}` });
      return undefined;
    }
    const held = this.#value(name);
    if (held !== undefined) return held;
    if (fallback !== undefined)
      return this.#read(new Source(where(mark), fallback, mark.source.folder, 'argument'), mark);
    const declaration = child(this.declared, name);
    const variable = text(declaration, 'environment');
    this.report({
      mark,
      message: `variable "${name}" has no value`,
      hint: `${variable ? `set the environment variable ${variable}, ` : ''}give it a default under "variables", write \${${name}:-value}, or set variables.${name}=value`,
    });
    return undefined;
  }

  #unknown(name: string, mark: Mark): undefined {
    const names = [...(this.declared?.entries.keys() ?? [])];
    const near = nearestNames(name, names).map((other) => `"${other}"`);
    const known = names.length > 0 ? `declared: ${names.join(', ')}` : 'declare it under "variables"';
    this.report({
      mark,
      message: `unknown variable "${name}"`,
      hint: near.length > 0 ? `did you mean ${near.join(' or ')}? ${known}` : known,
    });
  }

  #value(name: string): Held {
    if (this.#known.has(name)) return this.#known.get(name);
    this.#open.push(name);
    const held = this.#declaration(child(this.declared, name)!);
    this.#open.pop();
    this.#known.set(name, held);
    return held;
  }

  #declaration(declaration: Node): Held {
    if (declaration.kind !== 'map') return this.fill(declaration);
    const variable = text(declaration, 'environment');
    const given = variable === undefined ? undefined : own(this.environment, variable);
    // As in a shell, `:-` and an empty variable go together.
    if (given !== undefined && given !== '') {
      const source = new Source(`environment variable ${variable}`, given, process.cwd(), 'environment');
      return this.#read(source, { source, start: 0, end: given.length, path: [] });
    }
    const standard = child(declaration, 'default');
    return standard && this.fill(standard);
  }

  /** Text of the environment or behind `:-`; a variable holds no map. */
  #read(source: Source, mark: Mark): Held {
    const node = readGiven(source, ({ message, hint }) => this.report({ mark, message, hint }));
    if (node?.kind === 'map') return { kind: 'scalar', value: source.text, mark };
    return node && { ...node, mark };
  }
}

function dropNulls(map: MapNode): MapNode {
  const entries = new Map(map.entries);
  const removed = new Map(map.removed);
  for (const [name, { key, value, over }] of map.entries) {
    if (!isNull(value)) continue;
    entries.delete(name);
    removed.set(name, { key, value: value.mark, existed: true, over });
  }
  return { ...map, entries, removed };
}
