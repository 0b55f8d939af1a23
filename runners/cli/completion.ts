// Completion in shells. `mtcp completion SHELL` prints a script; the script asks `mtcp complete` at every Tab, which
// knows commands and flags from the program itself, and rows, profiles and paths from the experiment file on the line.
//
// The answer is a line for each candidate, value and description with a tab between; the line ":files" asks the shell
// for file names.
import type { Argument, Command, Option } from 'commander';
import { KINDS } from '../../registry/entry.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { isPlainObject } from '../../registry/options.js';
import { shippedExperiments } from '../app/authoring/experiment.js';
import { loadExperiment, profilesOf, type Experiment } from '../config/index.js';
import { Schemas } from '../config/schemas.js';

interface Candidate {
  value: string;
  description?: string;
}

const FILES: Candidate = { value: ':files' };

/** @param words of the command line after `mtcp`, the last one being written */
export function complete(program: Command, words: readonly string[]): void {
  const found = candidates(program, words);
  const lines = found.map(({ value, description }) => (description ? `${value}\t${description}` : value));
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

export function candidates(program: Command, words: readonly string[]): Candidate[] {
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { command, given, pending } = parse(program, before);
  const all = pending
    ? valuesOf(pending, given)
    : current.startsWith('-')
      ? flagsOf(command)
      : [...commandsOf(command), ...argumentsOf(command, given)];
  return all.filter(({ value }) => value === FILES.value || value.startsWith(current));
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
  if (long === '--from') return [...plain(shippedExperiments()), FILES];
  return /<(file|dir|path|folder)>/.test(flags) ? [FILES] : [];
}

/** What may stand at the next place of a command. */
function argumentsOf(command: Command, given: readonly string[]): Candidate[] {
  const { registeredArguments } = command;
  const next: Argument | undefined =
    registeredArguments[given.length] ?? registeredArguments.findLast(({ variadic }) => variadic);
  switch (next?.name()) {
    case undefined:
      return [];
    case 'kind':
      return Object.entries(KINDS).map(([value, description]) => ({ value, description }));
    case 'shell':
      return plain(Object.keys(SCRIPTS));
    case 'overrides':
      return plain(pathsIn(experimentIn(given)?.trials[0]?.config).map((path) => `${path}=`));
    case 'name':
      return command.name() === 'describe' ? namesAfter(given) : [];
    default:
      return [FILES];
  }
}

function namesAfter(given: readonly string[]): Candidate[] {
  const schemas = new Schemas();
  const kinds = Object.keys(KINDS);
  if (given.length > 0)
    return given.length === 1 && kinds.includes(given[0]) ? plain(schemas.names(given[0])) : [];
  return [
    ...Object.entries(KINDS).map(([value, description]) => ({ value, description })),
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

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# mtcp completion for bash. In ~/.bashrc: eval "$(mtcp completion bash)"
_mtcp() {
  local current line value
  COMPREPLY=()
  # An "=" parts words for bash, but not for mtcp.
  _get_comp_words_by_ref -n = cur words cword 2>/dev/null || { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
  current="\${words[cword]}"
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    if [[ $value == ":files" ]]; then
      while IFS= read -r value; do
        [[ -d $value ]] && value+=/
        COMPREPLY+=("$value")
      done < <(compgen -f -- "$current")
    else
      [[ $value == *[=/] ]] && compopt -o nospace 2>/dev/null
      COMPREPLY+=("$(printf '%q' "$value")")
    fi
  done < <(mtcp complete -- "\${words[@]:1:cword}" 2>/dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _mtcp mtcp
`,
  zsh: `#compdef mtcp
# mtcp completion for zsh. In ~/.zshrc, after compinit: eval "$(mtcp completion zsh)"
_mtcp() {
  local line files=0
  local -a described open
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then files=1
    elif [[ $line == *= ]]; then open+=("$line")
    else described+=("\${\${line//:/\\\\:}/$'\\t'/:}")
    fi
  done < <(mtcp complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  (( \${#described} )) && _describe mtcp described
  (( files )) && _files
}
compdef _mtcp mtcp
`,
  fish: `# mtcp completion for fish. In ~/.config/fish/config.fish: mtcp completion fish | source
function __mtcp_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (mtcp complete -- $words[2..] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c mtcp -f -a '(__mtcp_complete)'
`,
};

export function script(shell: string): void {
  const text = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (text === undefined)
    throw new MtcpError('usage', `there is no completion for "${shell}"`, {
      where: `argument "${shell}"`,
      hint: didYouMean(shell, Object.keys(SCRIPTS)),
    });
  process.stdout.write(text);
}
