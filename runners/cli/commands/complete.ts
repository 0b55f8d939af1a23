// mtcp complete: what may stand where a person presses Tab. The scripts of `mtcp completion` ask it. It knows commands
// and flags from their declarations, and rows, profiles and paths from the experiment file on the line.
//
// The answer is a line for each candidate, value and description with a tab between; the line ":files" asks the shell
// for file names.
import { Command, type Argument, type Option } from 'commander';
import { ENGINE_NAMES } from '../../config/engine-flag.js';
import { choicesAt, sections } from '../sections.js';
import { TRUST } from '../flags.js';
import { SHELLS } from './completion.js';
import { KINDS } from '../../../registry/entry.js';
import { MtcpError } from '../../../registry/errors.js';
import { isPlainObject } from '../../../registry/options.js';
import { shippedExperiments } from '../../app/authoring/experiment.js';
import { loadExperiment, profilesOf, type Experiment } from '../../config/index.js';
import { Schemas } from '../../config/schemas.js';

type DeclareCommands = (program: Command, words: readonly string[]) => Promise<void>;

interface Candidate {
  value: string;
  description?: string;
}

const FILES: Candidate = { value: ':files' };

/** @param declareAll declares every command, and fully the one that words are about; see index.ts */
export const completing = (declareAll: DeclareCommands) => ({
  declare(command: Command): void {
    command.argument('[words...]').action((words: string[]) => complete(declareAll, words));
  },
});

/** @param words of the command line after `mtcp`, the last one being written */
async function complete(declareAll: DeclareCommands, words: readonly string[]): Promise<void> {
  const program = new Command('mtcp').version('').option(...TRUST);
  await declareAll(program, words.slice(0, -1));
  const found = candidates(program, words);
  const lines = found.map(({ value, description }) => (description ? `${value}\t${description}` : value));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

function candidates(program: Command, words: readonly string[]): Candidate[] {
  const whole = joined(words);
  const before = whole.slice(0, -1);
  const current = whole.at(-1) ?? '';
  const { command, given, pending } = parse(program, before);
  const all = pending
    ? valuesOf(pending, given)
    : current.startsWith('-')
      ? flagsOf(command)
      : [...commandsOf(command), ...argumentsOf(command, given, current)];
  return all.filter(({ value }) => value === FILES.value || value.startsWith(current));
}

/** bash may part `scheme.type=lps` into three words. */
function joined(words: readonly string[]): string[] {
  const whole: string[] = [];
  for (const [i, word] of words.entries())
    if (whole.length > 0 && (word === '=' || words[i - 1] === '=')) whole.push(`${whole.pop()}${word}`);
    else whole.push(word);
  return whole;
}

interface Parsed {
  command: Command;
  /** Arguments so far. */
  given: string[];
  /** An option that waits for its value. */
  pending?: Option;
}

function parse(program: Command, words: readonly string[]): Parsed {
  let command = program;
  const given: string[] = [];
  let pending: Option | undefined;
  for (const word of words) {
    if (pending) {
      pending = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const option = command.options.find(({ short, long }) => word === short || word === long);
      if (option?.required) pending = option;
      continue;
    }
    const below = given.length === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (below) command = below;
    else given.push(word);
  }
  return { command, given, pending };
}

const visible = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

function commandsOf(command: Command): Candidate[] {
  return visible(command).map((each) => ({
    value: each.name(),
    description: each.summary() || each.description(),
  }));
}

function flagsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short!, description }));
}

/** Values of an option. */
function valuesOf({ long, flags }: Option, given: readonly string[]): Candidate[] {
  if (long === '--profile') return given.flatMap((file) => plain(profilesIn(file)));
  if (long === '--row') return plain([...new Set(experimentIn(given)?.trials.map(({ row }) => row))]);
  if (long === '--engine') return plain(ENGINE_NAMES);
  if (long === '--from') return [...plain(shippedExperiments()), FILES];
  return /<(file|dir|path|folder)>/.test(flags) ? [FILES] : [];
}

/** Candidates for the next word of a command. */
function argumentsOf(command: Command, given: readonly string[], current: string): Candidate[] {
  const { registeredArguments } = command;
  const next: Argument | undefined =
    registeredArguments[given.length] ?? registeredArguments.findLast(({ variadic }) => variadic);
  switch (next?.name()) {
    case undefined:
      return [];
    case 'kind':
      return Object.entries(KINDS).map(([value, description]) => ({ value, description }));
    case 'shell':
      return plain(SHELLS);
    case 'overrides':
      if (current.includes('=')) return overridesOf(current);
      return plain(pathsIn(experimentIn(given)?.trials[0]?.config).map((path) => `${path}=`));
    case 'name':
      return command.name() === 'describe' ? namesAfter(given) : [];
    default:
      return [FILES];
  }
}

/** `scheme.type=lps`: what an override may choose from. */
function overridesOf(current: string): Candidate[] {
  const path = current.slice(0, current.indexOf('='));
  const choices = choicesAt(path.split('.'));
  const values = 'kind' in choices ? new Schemas().names(choices.kind) : choices.values;
  return plain(values.map((value) => `${path}=${value}`));
}

function namesAfter(given: readonly string[]): Candidate[] {
  const schemas = new Schemas();
  const kinds = Object.keys(KINDS);
  if (given.length > 0)
    return given.length === 1 && kinds.includes(given[0]) ? plain(schemas.names(given[0])) : [];
  return [
    ...Object.entries(KINDS).map(([value, description]) => ({ value, description })),
    ...plain(sections().filter((name) => !kinds.includes(name))),
    ...plain([...new Set(kinds.flatMap((kind) => schemas.names(kind)))]),
  ];
}

const plain = (values: Iterable<string>): Candidate[] => [...values].map((value) => ({ value }));

/** The experiment on the line; a faulty one has nothing to offer. */
function experimentIn(given: readonly string[]): Experiment | undefined {
  const file = given.find((word) => /\.ya?ml$/.test(word));
  return file === undefined ? undefined : quietly(() => loadExperiment(file));
}

function profilesIn(file: string): string[] {
  return (quietly(() => profilesOf(file)) ?? []).filter((name) => name !== null);
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (MtcpError.is(error)) return undefined;
    throw error;
  }
}

function pathsIn(value: unknown, path: readonly string[] = []): string[] {
  if (!isPlainObject(value)) return path.length > 0 ? [path.join('.')] : [];
  return Object.entries(value).flatMap(([key, below]) => pathsIn(below, [...path, key]));
}
