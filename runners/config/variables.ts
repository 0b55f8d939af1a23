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
import type { ReportFault } from './faults.js';
import { readGiven } from './given.js';
import { FILLED, VARIABLE_DEPTH } from './budgets.js';
import {
  child,
  isNull,
  sizeOf,
  text,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
} from './nodes.js';
import { SourceText, where, type Mark } from './source-text.js';
import { own } from '../../registry/own.js';
import { NAME, usesIn } from './variable-uses.js';

/** What variables may become in all trials of a file together. */
export class FillBudget {
  #left = FILLED;

  /** Whether there is room for a node and everything below it; takes it if so. */
  take(node: YamlNode): boolean {
    const characters = node.kind === 'scalar' && typeof node.value === 'string' ? node.value.length : 0;
    this.#left -= sizeOf(node) + characters / CHARACTERS;
    return this.#left >= 0;
  }
}

/** As much as a value. */
const CHARACTERS = 100;

/** A merged trial with its variables filled in, and without `variables` itself. */
export function fillVariables(
  trial: YamlMap,
  report: ReportFault,
  environment: NodeJS.ProcessEnv,
  budget = new FillBudget(),
): YamlMap {
  const entries = new Map(trial.entries);
  const removed = new Map(trial.removed);
  const declared = entries.get('variables')?.value;
  entries.delete('variables');
  removed.delete('variables');
  const variables = new Variables(
    declared?.kind === 'map' ? declared : undefined,
    report,
    environment,
    budget,
  );
  return variables.fill({ ...trial, entries, removed }) as YamlMap;
}

/** What a variable holds; undefined if it is declared without a value. */
type Held = YamlNode | undefined;

class Variables {
  readonly #known = new Map<string, Held>();
  readonly #open: string[] = [];
  /** Variables of the environment that are set and may not be read, which has been reported. */
  readonly #refused = new Set<string>();

  constructor(
    private readonly declared: YamlMap | undefined,
    private readonly report: ReportFault,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly budget: FillBudget,
  ) {}

  /** The same tree with every use replaced; parts without any are kept as they are. */
  fill(node: YamlNode): YamlNode {
    if (node.kind === 'scalar')
      return typeof node.value === 'string' && node.value.includes('${')
        ? this.#text(node, node.value)
        : node;
    if (node.kind === 'list') {
      const items = node.items.map((item) => this.fill(item));
      return items.every((item, i) => item === node.items[i]) ? node : { ...node, items };
    }
    let changed = false;
    const entries = new Map<string, YamlEntry>();
    for (const [name, entry] of node.entries) {
      const value = this.fill(entry.value);
      if (value !== entry.value && name === 'type') this.#variableType(entry.value);
      // A variable may hold null; like a written one it removes.
      entries.set(name, value === entry.value ? entry : { ...entry, value });
      changed ||= value !== entry.value;
    }
    return changed ? dropNulls({ ...node, entries }) : node;
  }

  #variableType({ mark }: YamlNode): void {
    this.report({
      mark,
      message: 'a type cannot be a variable',
      hint: 'it decides which options the slot has; write whole slots into rows or a sweep',
    });
  }

  #text(node: YamlScalar, written: string): YamlNode {
    const uses = usesIn(written);
    const [{ start, end, name, fallback }] = uses;
    if (start === 0 && end === written.length && name !== undefined) return this.#whole(node, name, fallback);
    let filled: Mark['filled'];
    let text = '';
    let done = 0;
    for (const { start, end, name, fallback, escaped } of uses) {
      text += written.slice(done, start);
      done = end;
      if (escaped) {
        text += '${';
        continue;
      }
      const held = name === undefined ? this.#slip(node.mark) : this.#use(name, fallback, node.mark);
      if (held === undefined) return { ...node, unfilled: true };
      filled ??= { name: `\${${name}}`, mark: held.mark, leads: start === 0 };
      if (held.kind !== 'scalar') {
        this.report({
          mark: node.mark,
          message: `"\${${name}}" is a ${held.kind}, which cannot be part of a text`,
          hint: 'a list can only be the whole value',
        });
        return { ...node, unfilled: true };
      }
      text += held.value === null ? '' : String(held.value);
      if (text.length > CHARACTERS * FILLED) break;
    }
    const mark = filled ? { ...node.mark, filled } : node.mark;
    const whole = { ...node, value: text + written.slice(done), mark };
    return this.budget.take(whole) ? whole : this.#tooMuch(node.mark);
  }

  #tooMuch(mark: Mark): YamlNode {
    this.report({
      mark,
      message: 'variables make this experiment too large',
      hint: `they may become ${FILLED} values in all rows together`,
    });
    return { kind: 'scalar', value: null, mark, unfilled: true };
  }

  /** `${name}` and nothing else: the variable's value with its own type. */
  #whole(node: YamlScalar, name: string, fallback: string | undefined): YamlNode {
    const held = this.#use(name, fallback, node.mark);
    if (held === undefined) return { ...node, unfilled: true };
    if (!this.budget.take(held)) return this.#tooMuch(node.mark);
    const filled = { name: `\${${name}}`, mark: held.mark, leads: true };
    const moved = (at: YamlNode): YamlNode =>
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
    if (this.#open.length >= VARIABLE_DEPTH) {
      this.report({
        mark,
        message: `more than ${VARIABLE_DEPTH} variables use each other, one inside the other`,
      });
      return undefined;
    }
    const held = this.#value(name);
    if (held !== undefined) return held;
    if (this.#refused.has(text(child(this.declared, name), 'environment') ?? '')) return undefined;
    if (fallback !== undefined)
      return this.#read(new SourceText(where(mark), fallback, mark.source.folder, 'argument'), mark);
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

  #declaration(declaration: YamlNode): Held {
    if (declaration.kind !== 'map') return this.fill(declaration);
    const variable = text(declaration, 'environment');
    const given = variable === undefined ? undefined : own(this.environment, variable);
    // As in a shell, `:-` and an empty variable go together.
    if (given !== undefined && given !== '' && !isReadable(variable!, this.environment)) {
      this.report({
        mark: child(declaration, 'environment')!.mark,
        message: `the environment variable ${variable} may not be read by experiment files`,
        hint: `call it MTCP_${variable}, or allow it: export MTCP_ENVIRONMENT=${variable}`,
      });
      this.#refused.add(variable!);
      return undefined;
    }
    if (given !== undefined && given !== '') {
      const source = new SourceText(`environment variable ${variable}`, given, process.cwd(), 'environment');
      return this.#read(source, { source, start: 0, end: given.length, path: [] });
    }
    const standard = child(declaration, 'default');
    return standard && this.fill(standard);
  }

  /** Text of the environment or behind `:-`; a variable holds no map. */
  #read(source: SourceText, mark: Mark): Held {
    const node = readGiven(source, ({ message, hint }) => this.report({ mark, message, hint }));
    if (node?.kind === 'map') return { kind: 'scalar', value: source.text, mark };
    return node && { ...node, mark };
  }
}

/** Other variables may hold secrets: a file may come from anywhere, and its values are shown and logged. */
function isReadable(variable: string, environment: NodeJS.ProcessEnv): boolean {
  return (
    variable.startsWith('MTCP_') || (environment.MTCP_ENVIRONMENT ?? '').split(/[\s,]+/).includes(variable)
  );
}

function dropNulls(map: YamlMap): YamlMap {
  const entries = new Map(map.entries);
  const removed = new Map(map.removed);
  for (const [name, { key, value, over }] of map.entries) {
    if (!isNull(value)) continue;
    entries.delete(name);
    removed.set(name, { key, value: value.mark, existed: true, over });
  }
  return { ...map, entries, removed };
}
