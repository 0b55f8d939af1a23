// Turns errors of ajv into messages with the position in the file.
import type { ErrorObject } from 'ajv';
import { listed, nearestNames } from '../../registry/support/near.js';
import { isPlainObject } from '../../registry/options.js';
import { allowsNull, type JsonSchema } from './json-schema.js';
import type { Fault, ReportFault } from './faults.js';
import { FAULTS } from './budgets.js';
import { child, follow, toValue, type YamlMap, type YamlNode } from './nodes.js';
import type { Mark } from './source-text.js';
import { hasVariable } from './variable-uses.js';
import { own } from '../../registry/own.js';

export interface ExplainContext {
  readonly root: YamlMap;
  /** An overlay or fragment: what is missing may come from elsewhere, and null removes. */
  readonly partial: boolean;
  /** Sections of a trial, to say where a misplaced option belongs. */
  readonly sections: Readonly<Record<string, JsonSchema>>;
  /** Why something is missing at a path that could have been left out. */
  readonly hint?: (path: readonly string[]) => string | undefined;
}

export function explainAll(all: readonly ErrorObject[], context: ExplainContext, report: ReportFault): void {
  const { root } = context;
  // Faults beyond the limit are not shown and need no explanation.
  const errors = all.slice(0, 2 * FAULTS);
  const absent = errors.filter(
    ({ keyword, instancePath, params }) =>
      keyword === 'required' && instancePath === '' && !root.removed.has(params.missingProperty as string),
  );
  if (absent.length > 1 && !context.partial)
    report({
      mark: root.mark,
      message: `missing sections ${absent.map(({ params }) => quote(params.missingProperty as string)).join(', ')}`,
      hint: 'write them, or extend a file that has them',
    });
  for (const error of meant(errors.filter((each) => absent.length === 1 || !absent.includes(each)))) {
    const fault = explain(error, context);
    if (fault) report(fault);
  }
}

/**
 * ajv reports every branch of an `anyOf`. A branch that rejects the value as such (its type, or that it is
 * none of the listed ones) was not meant; if that leaves none, one error for the whole choice remains.
 */
function meant(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const choice of errors.filter((error) => error.keyword === 'anyOf')) {
    const inside = (error: ErrorObject) =>
      error !== choice && `${error.instancePath}/`.startsWith(`${choice.instancePath}/`);
    const rejects = (error: ErrorObject) =>
      error.instancePath === choice.instancePath && ['type', 'enum', 'const'].includes(error.keyword);
    const branches = kept.filter(inside);
    const close = branches.filter((error) => !rejects(error));
    // "a map or null" is written as "a map".
    const only = branches.filter((error) => rejects(error) && error.params.type !== 'null');
    kept = kept.filter((error) => error !== choice && !inside(error));
    kept.push(...(close.length > 0 ? close : only.length === 1 ? only : [choice]));
  }
  return kept;
}

function explain(error: ErrorObject, context: ExplainContext): Fault | undefined {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const { node, key } = follow(context.root, path);
  const schema = error.parentSchema as JsonSchema;
  if (error.keyword === 'additionalProperties')
    return unknownOption(path, node, schema, error.params.additionalProperty as string, context.sections);
  // ajv's own `data` is that of the slot for errors from inside one.
  const data = toValue(node);
  if (context.partial && (data === null || ['required', 'minProperties'].includes(error.keyword)))
    return undefined;
  // What a variable holds is known, and checked, when all layers are merged.
  if (context.partial ? hasVariable(data) : node.kind === 'scalar' && node.unfilled) return undefined;
  if (error.keyword === 'required' && nulled(node, schema, error.params.missingProperty as string))
    return undefined;
  if (error.keyword === 'required')
    return missing(path, node, key, schema, error.params.missingProperty as string, context.hint?.(path));
  if (path.at(-1) === 'type' && schema.title !== undefined && typeof data === 'string')
    return { mark: node.mark, ...unknownType(schema.title, data, (schema.enum ?? []) as string[]) };
  const mark = node.kind === 'map' ? (emptied(error, node) ?? key ?? node.mark) : node.mark;
  return { mark, ...wrongValue(path, error, schema, data) };
}

/** Of a map that may not be empty: where the last of its entries was removed. */
const emptied = ({ keyword }: ErrorObject, { removed }: YamlMap): Mark | undefined =>
  keyword === 'minProperties' ? [...removed.values()].at(-1)?.key : undefined;

export function unknownOption(
  path: readonly string[],
  map: YamlNode,
  schema: JsonSchema,
  option: string,
  sections: Readonly<Record<string, JsonSchema>>,
): Fault {
  const allowed = Object.keys(schema.properties ?? {});
  const options = allowed.filter((name) => name !== 'type');
  const entry =
    map.kind === 'map' ? (map.entries.get(option)?.key ?? map.removed.get(option)?.key) : undefined;
  const what = path.length === 0 ? `unknown section "${option}"` : `unknown option "${option}"`;
  const owner = schema.title !== undefined && path.length > 0 ? ` in ${schema.title}` : '';
  const place = path.length > 0 && owner === '' ? ` in ${dotted(path)}` : owner;
  const near = nearestNames(option, allowed);
  const home = Object.keys(sections).find(
    (name) => name !== path[0] && Object.hasOwn(sections[name].properties ?? {}, option),
  );
  const [first, ...rest] = option.split('.');
  if (allowed.includes(first) && rest.length > 0)
    return { mark: entry ?? map.mark, message: what + place, hint: `write ${nested(option)}; ${DOTTED}` };
  let hint = near.length > 0 ? `did you mean ${near.map(quote).join(' or ')}? ` : '';
  if (near.length === 0 && home !== undefined) hint = `"${option}" belongs in ${home}; `;
  hint += options.length > 0 ? `allowed: ${options.join(', ')}` : 'it has no options';
  return { mark: entry ?? map.mark, message: what + place, hint };
}

const DOTTED = 'dotted paths are for arguments and for the paths of a sweep';

/** train.epochs as files write it: `train: { epochs: ... }`. */
const nested = (path: string): string =>
  path
    .split('.')
    .reduceRight((value, key) => (value === '...' ? `${key}: ...` : `${key}: { ${value} }`), '...');

/** Whether a required option was set to null and may be. */
function nulled(map: YamlNode, schema: JsonSchema, name: string): boolean {
  return map.kind === 'map' && map.removed.has(name) && allowsNull(own(schema.properties, name) ?? {});
}

function missing(
  path: readonly string[],
  map: YamlNode,
  key: Mark | undefined,
  schema: JsonSchema,
  name: string,
  hint: string | undefined,
): Fault {
  const removal = map.kind === 'map' ? map.removed.get(name) : undefined;
  const type = child(map, 'type');
  const property = own(schema.properties, name);
  const owner = schema.title !== undefined && path.length > 0 ? schema.title : dotted(path);
  const known = name === 'type' ? (property?.enum ?? []) : [];
  return {
    mark: removal?.value ?? type?.mark ?? key ?? map.mark,
    message: path.length === 0 ? `missing section "${name}"` : `missing "${name}" in ${owner}`,
    hint: known.length > 0 ? `known: ${known.join(', ')}` : (hint ?? (property && described(name, property))),
  };
}

function unknownType(kind: string, name: string, known: readonly string[]): Omit<Fault, 'mark'> {
  const { message, hint = '' } = unknownName(kind, name, known);
  return { message, hint: hint.replace(/there are \d+$/, (all) => `${all}: mtcp list ${kind}`) };
}

/** More names than this are too many to read through when one of them is near. */
const MANY = 12;

/**
 * `unknown scheme "dwaa"`, what is near it and, unless that is a long list, all there is.
 * @param nothing what to say if there is nothing to choose from
 */
export function unknownName(
  what: string,
  name: string,
  known: readonly string[],
  nothing = `there is no ${what} to choose from`,
): Omit<Fault, 'mark'> {
  const near = nearestNames(name, known);
  const meant = near.length > 0 ? `did you mean ${near.map(quote).join(' or ')}? ` : '';
  const list = meant !== '' && known.length > MANY ? `there are ${known.length}` : `known: ${listed(known)}`;
  return {
    message: `unknown ${what} "${name}"`,
    hint: known.length > 0 ? `${meant}${list}` : nothing,
  };
}

function wrongValue(
  path: readonly string[],
  { keyword, params }: ErrorObject,
  schema: JsonSchema,
  data: unknown,
): Omit<Fault, 'mark'> {
  const name = dotted(path);
  const got = `, got ${shown(data)}`;
  const hint = described(path.at(-1) ?? '', schema);
  switch (keyword) {
    case 'type':
    case 'anyOf': {
      const branches = schema.anyOf ?? [schema];
      const types = branches.flatMap((branch) => (branch.$ref ? ['object'] : [branch.type ?? []].flat()));
      return {
        message: `${name} must be ${either([...new Set(branches.flatMap(expected))])}${got}`,
        hint: typeHint(types, data, schema) ?? hint,
      };
    }
    case 'enum':
    case 'const': {
      const allowed = (schema.enum ?? [schema.const]).filter((value) => value !== null);
      const near = typeof data === 'string' ? nearestNames(data, allowed.map(String)) : [];
      const message = `${name} must be ${either(allowed.map(shown))}${got}`;
      return { message, hint: near.length > 0 ? `did you mean ${near.map(quote).join(' or ')}?` : hint };
    }
    case 'minimum':
      return { message: `${name} must be at least ${params.limit}${got}`, hint };
    case 'maximum':
      return { message: `${name} must be at most ${params.limit}${got}`, hint };
    case 'exclusiveMinimum':
      return { message: `${name} must be above ${params.limit}${got}`, hint };
    case 'exclusiveMaximum':
      return { message: `${name} must be below ${params.limit}${got}`, hint };
    case 'minItems':
    case 'maxItems': {
      const items =
        schema.minItems === schema.maxItems ? '' : keyword === 'minItems' ? 'at least ' : 'at most ';
      const count = (data as unknown[]).length;
      const limit = params.limit as number;
      return {
        message: `${name} must have ${items}${limit} item${limit === 1 ? '' : 's'}, got ${count}`,
        hint,
      };
    }
    case 'minLength':
      return { message: `${name} must not be empty`, hint };
    case 'minProperties':
      return { message: `${name} must not be empty`, hint };
    case 'uniqueItems':
      return { message: `${name} lists ${shown((data as unknown[])[params.i as number])} twice`, hint };
    case 'pattern':
      return { message: `${name} cannot be ${shown(data)}`, hint };
    default:
      return { message: `${name}: ${keyword} does not hold${got}`, hint };
  }
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
};

/** What a schema wants, in words. null means "not given" everywhere, so it is not news. */
function expected(schema: JsonSchema): string[] {
  if (schema.$ref !== undefined) return ['a map'];
  if (schema.enum) return schema.enum.filter((value) => value !== null).map(shown);
  return [schema.type ?? []]
    .flat()
    .filter((type) => type !== 'null')
    .map((type) => TYPES[type]);
}

/** Items that may stand alone by mistake: `seeds: 3`. */
const IS_ITEM: Readonly<Record<string, (value: unknown) => boolean>> = {
  integer: Number.isInteger,
  number: Number.isFinite,
  string: (value) => typeof value === 'string',
};

/** The likely slip behind a value of the wrong type. */
function typeHint(wanted: readonly string[], data: unknown, schema: JsonSchema): string | undefined {
  const size = typeof data === 'string' ? /^(\d+) ?[x,] ?(\d+)$/.exec(data) : null;
  if (wanted.includes('array') && size) return `write [${size[1]}, ${size[2]}]`;
  const item = schema.items?.type;
  if (wanted.includes('array') && item !== undefined && [item].flat().some((type) => IS_ITEM[type]?.(data)))
    return `write [${shown(data)}]`;
  if (typeof data !== 'string') return undefined;
  if (wanted.includes('boolean') && /^(yes|on|y)$/i.test(data)) return 'write true';
  if (wanted.includes('boolean') && /^(no|off|n)$/i.test(data)) return 'write false';
  const numeric = wanted.includes('number') || wanted.includes('integer');
  if (numeric && data.trim() !== '' && Number.isFinite(Number(data)))
    return `write ${data.trim()} without quotes`;
  const types = schema.properties?.type?.enum ?? [];
  if (types.includes(data)) return `write { type: ${data} }`;
  return types.length > 0 ? `known types: ${types.join(', ')}` : undefined;
}

function described(name: string, { description }: JsonSchema): string | undefined {
  return description === undefined ? undefined : `${name}: ${description}`;
}

export function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length > 4 ? 'a list' : `[${value.map(shown).join(', ')}]`;
  if (isPlainObject(value)) return 'a map';
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : 'infinity';
  return String(value);
}

function quote(text: string): string {
  return `"${text}"`;
}

function either(options: readonly string[]): string {
  return options.length < 2 ? options.join('') : `${options.slice(0, -1).join(', ')} or ${options.at(-1)}`;
}

/** tasks.semseg.loss, size[0]; with quotes around keys that have dots or blanks. */
export function dotted(path: readonly string[]): string {
  return path
    .map((step, i) => {
      if (/^\d+$/.test(step)) return `[${step}]`;
      return (i > 0 ? '.' : '') + (/[.\s]/.test(step) ? quote(step) : step);
    })
    .join('');
}
