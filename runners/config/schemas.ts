// oxlint-disable unicorn/no-thenable -- "then" is a keyword of JSON Schema
// The committed schemas at run time: validation with ajv, and completion (defaults, absolute paths) by
// walking the same files. Nothing here loads a component, and a component's schema is read and compiled
// only if a file names it, so validating costs milliseconds however many components there are.
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ajv, { type ErrorObject, type SchemaValidateFunction, type ValidateFunction } from 'ajv';
import { MtcpError } from '../../registry/errors.js';
import { isPlainObject, isReadPath, withDefaults } from '../../registry/options.js';
import type { BareForm } from './bare.js';
import { allowsNull, type JsonSchema } from './json-schema.js';
import { child, text, type YamlMap, type YamlNode } from './nodes.js';
import { folderOf } from './source-text.js';
import { own } from '../../registry/own.js';

/** The package's own schemas. */
export const SCHEMAS = fileURLToPath(new URL('../../../schemas/', import.meta.url));

/** A component that is not among the committed schemas. */
export interface PluginComponent {
  readonly kind: string;
  readonly name: string;
  readonly summary: string;
  readonly schema: JsonSchema;
}

/** A schema and the document that its references are meant from. */
interface Located {
  readonly schema: JsonSchema;
  readonly document: string;
}

export interface Completed {
  readonly value: unknown;
  /** Where the value holds file system paths. */
  readonly paths: readonly (readonly string[])[];
}

export class Schemas {
  readonly #documents = new Map<string, JsonSchema>();
  readonly #resolved = new Map<string, Located>();
  readonly #ajv = new ajv.Ajv({
    allErrors: true,
    verbose: true,
    messages: false,
    // The files are checked once, by a test, not at every start.
    strict: false,
    strictNumbers: true,
    // An option called "constructor" is not there because every object inherits one.
    ownProperties: true,
    validateSchema: false,
    meta: false,
    logger: false,
    formats: { path: true },
    code: { optimize: false },
  });

  /** @param folder holds experiment.schema.json, trial.schema.json and components/ */
  constructor(
    private readonly folder: string = SCHEMAS,
    private readonly added: readonly PluginComponent[] = [],
  ) {
    this.#ajv.addKeyword({ keyword: 'branches', schema: true, errors: 'full', validate: this.#branches() });
  }

  /** Everything of an experiment file but its trial sections. */
  experiment(value: unknown): ErrorObject[] {
    return this.#errors('experiment.schema.json', value);
  }

  /** The trial sections. */
  trial(value: unknown): ErrorObject[] {
    return this.#errors('trial.schema.json', value);
  }

  /** The components of a kind. */
  names(kind: string): readonly string[] {
    const index = this.#document('components/index.json').definitions?.[kind];
    return (index?.properties?.type?.enum ?? []) as string[];
  }

  /** The first option of a component that is a path it reads; undefined if it has none. */
  readPath(kind: string, type: string): string | undefined {
    const { properties = {} } = this.#document(`components/${kind}.${type}.json`);
    return Object.entries(properties).find(([, schema]) => isReadPath(schema))?.[0];
  }

  /** The tasks of a data set, by name the kind of each; undefined for an unknown data set. */
  taskKinds(dataset: string): Readonly<Record<string, string>> | undefined {
    if (!this.names('dataset').includes(dataset)) return undefined;
    return this.#document(`components/dataset.${dataset}.json`).taskKinds ?? {};
  }

  /** The usual head, loss and metric of a kind of task; undefined for an unknown kind. */
  usual(kind: string): Record<string, unknown> | undefined {
    if (!this.names('task').includes(kind)) return undefined;
    return this.#document(`components/task.${kind}.json`).usual as Record<string, unknown> | undefined;
  }

  /** Slots of a trial that need no `type`. */
  bareForms(): BareForm[] {
    const root = { schema: this.#document('trial.schema.json'), document: 'trial.schema.json' };
    return Object.keys(this.trialSections()).flatMap((section) => {
      const { $ref } = propertySchema(root.schema, section);
      const { bare = {} } = $ref === undefined ? {} : this.#resolve($ref, root.document).schema;
      return Object.entries(bare).map(([type, options]) => ({ section, type, options }));
    });
  }

  /** The schema of each section of a trial. */
  trialSections(): Readonly<Record<string, JsonSchema>> {
    return this.#document('trial.schema.json').properties ?? {};
  }

  /**
   * A valid trial with defaults at every depth and paths made absolute.
   * @param node the same trial with its marks: a relative path is meant from the file that wrote it
   */
  completeTrial(value: unknown, node: YamlNode): Completed {
    const paths: string[][] = [];
    const root = { schema: this.#document('trial.schema.json'), document: 'trial.schema.json' };
    return { value: this.#complete(root, value, node, [], paths), paths };
  }

  /** Calls `visit` with every map of a trial, valid or not, and the schema that is meant for it. */
  eachMap(node: YamlNode, visit: (map: YamlMap, schema: JsonSchema, path: readonly string[]) => void): void {
    const walk = (at: Located, node: YamlNode, path: readonly string[]): void => {
      const { schema, document } = this.#chosen(at, outline(node));
      if (node.kind === 'list')
        node.items.forEach((item, i) =>
          walk({ schema: schema.items ?? {}, document }, item, [...path, String(i)]),
        );
      if (node.kind !== 'map') return;
      visit(node, schema, path);
      for (const [name, { value }] of node.entries)
        walk({ schema: propertySchema(schema, name), document }, value, [...path, name]);
    };
    walk({ schema: this.#document('trial.schema.json'), document: 'trial.schema.json' }, node, []);
  }

  #complete(
    at: Located,
    value: unknown,
    node: YamlNode | undefined,
    path: string[],
    paths: string[][],
  ): unknown {
    const { schema, document } = this.#chosen(at, value);
    // Paths are not part of a trial's identity, whether they are given or not.
    if (value === null && at.schema.anyOf?.some(({ format }) => format === 'path')) paths.push(path);
    if (typeof value === 'string' && schema.format === 'path') {
      paths.push(path);
      // A default is in no file, so a relative path in it is resolved against the working directory.
      return isAbsolute(value) ? value : resolve(node ? folderOf(node.mark) : '.', value);
    }
    const into = (schema: JsonSchema, value: unknown, below: YamlNode | undefined, step: string) =>
      this.#complete({ schema, document }, value, below, [...path, step], paths);
    if (Array.isArray(value)) {
      const items = node?.kind === 'list' ? node.items : [];
      return value.map((item, i) => into(schema.items ?? {}, item, items[i], String(i)));
    }
    if (!isPlainObject(value)) return value;
    const nulls = node?.kind === 'map' ? [...node.removed.keys()] : [];
    const given = { ...value };
    for (const name of nulls) if (allowsNull(own(schema.properties, name) ?? {})) given[name] = null;
    return Object.fromEntries(
      Object.entries(withDefaults(schema, given)).map(([name, below]) => [
        name,
        into(propertySchema(schema, name), below, child(node, name), name),
      ]),
    );
  }

  /** Follows references and choices to the schema that is meant for this value. */
  #chosen({ schema, document }: Located, value: unknown): Located {
    if (schema.$ref !== undefined) return this.#chosen(this.#resolve(schema.$ref, document), value);
    if (schema.anyOf) {
      const fits = schema.anyOf
        .map((branch) => this.#chosen({ schema: branch, document }, value))
        .find((branch) => accepts(branch.schema, value));
      return fits ?? { schema, document };
    }
    const ref = isPlainObject(value) ? own(branchRefs(schema), String(value.type)) : undefined;
    return ref === undefined ? { schema, document } : this.#chosen(this.#resolve(ref, document), value);
  }

  /** Asked for at every map of every row: paths are put together once. */
  #resolve(ref: string, from: string): Located {
    const key = `${from} ${ref}`;
    let known = this.#resolved.get(key);
    if (!known) this.#resolved.set(key, (known = this.#locate(ref, from)));
    return known;
  }

  #locate(ref: string, from: string): Located {
    const [file, pointer = ''] = ref.split('#');
    const document = file === '' ? from : posix.join(posix.dirname(from), file);
    const steps = pointer.split('/').slice(1);
    const schema = steps.reduce<unknown>(
      (at, step) => (at as Record<string, unknown>)[step],
      this.#document(document),
    );
    return { schema: schema as JsonSchema, document };
  }

  #document(name: string): JsonSchema {
    const known = this.#documents.get(name);
    if (known) return known;
    const document = this.#read(name);
    this.#documents.set(name, document);
    return document;
  }

  #read(name: string): JsonSchema {
    const added = this.added.find((each) => name === `components/${each.kind}.${each.name}.json`);
    if (added) return added.schema;
    const file = join(this.folder, ...name.split('/'));
    try {
      const document = JSON.parse(readFileSync(file, 'utf8')) as JsonSchema;
      return name === 'components/index.json' ? withComponents(document, this.added) : document;
    } catch (cause) {
      throw new MtcpError('io', `cannot read the schema ${name}`, {
        where: dirname(file),
        hint: 'schemas come with the package; in a checkout, npm run schemas writes them',
        cause,
      });
    }
  }

  #errors(name: string, value: unknown): ErrorObject[] {
    const validate = this.#validator(name);
    return validate(value) ? [] : [...(validate.errors ?? [])];
  }

  /** @param ref a document, or a definition inside one */
  #validator(ref: string): ValidateFunction {
    for (const name of [ref.split('#')[0], 'components/index.json'])
      if (!this.#ajv.schemas[name]) this.#ajv.addSchema(this.#lazy(name), name);
    return this.#ajv.getSchema(ref) as ValidateFunction;
  }

  /**
   * A document as ajv compiles it: choices by `type` become the keyword `branches`, which compiles a branch
   * when a value asks for it; overlays pass if they are maps, since what is in them is validated; whole numbers are
   * exact ones.
   */
  #lazy(name: string): JsonSchema {
    const absolute = (ref: string) =>
      ref.startsWith('#') ? name + ref : posix.join(posix.dirname(name), ref);
    return JSON.parse(JSON.stringify(this.#document(name)), (_, value: unknown) => {
      if (!isPlainObject(value)) return value;
      if (typeof value.$ref === 'string' && value.$ref.includes('overlay.json'))
        return value.$ref.endsWith('/trial') ? { type: ['object', 'null'] } : {};
      if ([value.type].flat().includes('integer')) return { ...EXACT, ...value };
      if (!Array.isArray(value.allOf)) return value;
      const { allOf: _choices, ...rest } = value;
      const refs = Object.entries(branchRefs(value)).map(([type, ref]) => [type, absolute(ref)]);
      return { ...rest, branches: Object.fromEntries(refs) };
    }) as JsonSchema;
  }

  #branches(): SchemaValidateFunction {
    const validate: SchemaValidateFunction = (branches: Record<string, string>, value, _, context) => {
      const ref = isPlainObject(value) ? own(branches, String(value.type)) : undefined;
      if (ref === undefined) return true;
      const chosen = this.#validator(ref);
      if (chosen(value, context)) return true;
      validate.errors = [...(chosen.errors ?? [])];
      return false;
    };
    return validate;
  }
}

/** The choice of each kind with more to choose from. */
function withComponents(index: JsonSchema, added: readonly PluginComponent[]): JsonSchema {
  const definitions: Record<string, JsonSchema> = { ...index.definitions };
  for (const { kind, name, summary } of added) {
    const before = definitions[kind];
    const { enum: names = [], enumDescriptions = [], title, description } = before.properties?.type ?? {};
    const type: JsonSchema = {
      title,
      description,
      enum: [...names, name],
      enumDescriptions: [...enumDescriptions, summary],
    };
    const rule: JsonSchema = {
      if: { properties: { type: { const: name } }, required: ['type'] },
      then: { $ref: `${kind}.${name}.json` },
    };
    definitions[kind] = { ...before, properties: { type }, allOf: [...(before.allOf ?? []), rule] };
  }
  return { ...index, definitions };
}

/** Where a schema says nothing else: what a number holds exactly. 1e20 is whole, and next to it lie others. */
const EXACT = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

/** As much of a node's value as a choice between schemas looks at. */
function outline(node: YamlNode): unknown {
  if (node.kind === 'map') return { type: text(node, 'type') };
  return node.kind === 'list' ? [] : node.value;
}

function propertySchema({ properties, additionalProperties }: JsonSchema, name: string): JsonSchema {
  return own(properties, name) ?? (typeof additionalProperties === 'object' ? additionalProperties : {});
}

const knownBranches = new WeakMap<JsonSchema, Record<string, string>>();

/** What `allOf: [{ if: { type is x }, then: { $ref } }, ...]` says: x to $ref. */
function branchRefs(schema: JsonSchema): Record<string, string> {
  const known = knownBranches.get(schema);
  if (known) return known;
  const rules = (schema.allOf ?? []).map((rule) => [rule.if?.properties?.type?.const, rule.then?.$ref]);
  const refs = Object.fromEntries(
    rules.filter(([type, ref]) => type !== undefined && ref !== undefined),
  ) as Record<string, string>;
  knownBranches.set(schema, refs);
  return refs;
}

/** Whether a branch of an anyOf may have been meant for this value: by type or listed values, not in depth. */
function accepts(schema: JsonSchema, value: unknown): boolean {
  if (schema.enum) return schema.enum.includes(value);
  if ('const' in schema) return schema.const === value;
  const types = schema.type === undefined ? [] : [schema.type].flat();
  return types.length === 0 || types.some((type) => own(IS, type)?.(value) === true);
}

const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isPlainObject,
};
