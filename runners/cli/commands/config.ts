// mtcp config: resolved configurations. `show` prints rows with everything filled in and, on request, the origin of
// each value; `diff` lists the differences between two configurations.
import type { Command } from 'commander';
import { dump } from 'js-yaml';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { isPlainObject } from '../../../registry/options.js';
import { didYouMean } from '../../../registry/support/near.js';
import {
  differences,
  loadExperiment,
  type Experiment,
  type Origin,
  type Provenance,
  type TrialSpec,
} from '../../config/index.js';
import { readResolved, RESOLVED } from '../../store/resolved-file.js';
import { JSON_DOCUMENT, ROWS } from '../flags.js';

export function declare(command: Command): void {
  command
    .command('show')
    .summary('print rows with all values filled in')
    .description(
      'Prints the configuration of each row with all layers merged and all defaults filled in, as it is trained.',
    )
    .argument('<file>', 'experiment file')
    .argument('[overrides...]', 'path=value')
    .option('--profile <name>', 'embedded (default) or another profile of the file')
    .option(...ROWS)
    .option(
      '--origin',
      'show beside each value the file and line that set it, and the value that it replaced',
    )
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp config show my.yaml --row "MT-CP" --origin
  mtcp config show my.yaml --profile full train.epochs=3`,
    )
    .action(show);
  command
    .command('diff')
    .summary('show the differences between two configurations')
    .description(
      'Shows the differences between rows of the same name. Single rows are compared whatever their names.',
    )
    .argument('<a>', 'experiment file, FILE#ROW, or the folder of a run')
    .argument('<b>', 'the same')
    .option('--profile <name>', 'embedded (default) or another profile of the files')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp config diff experiments/table3.yaml my.yaml
  mtcp config diff "my.yaml#MT-CP" "my.yaml#STL depth"
  mtcp config diff runs/table3/mt-cp-s0-1a2b3c4d my.yaml#MT-CP`,
    )
    .action(diff);
}

interface ShowOptions {
  profile?: string;
  row?: string[];
  origin?: boolean;
  json?: boolean;
}

function show(file: string, overrides: string[], { profile, row, origin, json }: ShowOptions): void {
  const experiment = loadExperiment(file, { profile, rows: row, overrides });
  const rows = oneOfEachRow(experiment);
  if (json) {
    const shown = rows.map((trial) => ({
      row: trial.row,
      config: trial.config,
      ...(origin && { origins: Object.fromEntries(leaves(experiment, trial)) }),
    }));
    process.stdout.write(`${JSON.stringify({ ...headOf(experiment), rows: shown }, null, 2)}\n`);
    return;
  }
  const seeds = [...new Set(experiment.trials.map(({ seed }) => seed))].join(', ');
  const documents = rows.map((trial) => {
    const under = experiment.profile === null ? '' : `, profile "${experiment.profile}"`;
    return `# ${experiment.name}, row "${trial.row}"${under}, seeds ${seeds}\n${origin ? withOrigins(experiment, trial) : yaml(trial.config)}`;
  });
  process.stdout.write(documents.join('---\n'));
}

const headOf = ({ name, profile, file }: Experiment) => ({ name, profile, file });

/** Seeds of a row have one configuration. */
function oneOfEachRow({ trials }: Experiment): TrialSpec[] {
  return [...new Map(trials.map((trial) => [trial.row, trial])).values()];
}

const yaml = (value: unknown): string => dump(value, { lineWidth: 110, noRefs: true });

/** Every value that is not a map of a configuration, with its origin. */
function leaves({ provenance }: Experiment, trial: TrialSpec): [string, Origin][] {
  const origins = provenance(trial);
  const visit = (value: unknown, path: string[]): [string, Origin][] =>
    isPlainObject(value) && Object.keys(value).length > 0
      ? Object.entries(value).flatMap(([key, below]) => visit(below, [...path, key]))
      : [[path.join('.'), origins.origin(path)]];
  return visit(trial.config, []);
}

function withOrigins({ provenance }: Experiment, trial: TrialSpec): string {
  const origins = provenance(trial);
  const lines: [text: string, origin: string][] = [];
  const visit = (value: Record<string, unknown>, path: string[]) => {
    for (const [key, below] of Object.entries(value)) {
      const at = [...path, key];
      const indent = '  '.repeat(path.length);
      const origin = origins.origin(at);
      const name = yaml({ [key]: null }).replace(/: null\n$/, ':');
      if (isPlainObject(below) && Object.keys(below).length > 0) {
        // Only a map that replaced something has more to say than its parts.
        lines.push([`${indent}${name}`, was(origin)]);
        visit(below, at);
      } else lines.push([`${indent}${name} ${flow(below)}`, describeOrigin(origin)]);
    }
  };
  visit({ ...trial.config }, []);
  const width = Math.min(44, Math.max(...lines.map(([text]) => text.length)));
  return lines
    .map(([text, origin]) => (origin === '' ? text : `${text.padEnd(width)}  # ${origin}`))
    .map((line) => `${line}\n`)
    .join('');
}

/** On one line; numbers as people write them, 1e-8 and not 1.e-8. */
const flow = (value: unknown): string =>
  typeof value === 'number' ? String(value) : dump(value, { flowLevel: 0, lineWidth: -1 }).trimEnd();

function describeOrigin(origin: Origin): string {
  if (origin.where === null) return 'default';
  const layer = ['file', 'argument', 'environment'].includes(origin.layer) ? '' : `  ${origin.layer}`;
  const { variable } = origin;
  const filled = variable === undefined ? '' : `  ${variable.name} from ${variable.where}`;
  const before = was(origin);
  return `${origin.where}${layer}${filled}${before === '' ? '' : `; ${before}`}`;
}

function was({ over }: Origin): string {
  return over.length === 0
    ? ''
    : `was ${over.map(({ value, where }) => `${shortly(value)} (${where})`).join(', ')}`;
}

/** A slot by its type, anything else on one line. */
function shortly(value: unknown): string {
  if (value === undefined) return 'not there';
  if (isPlainObject(value) && typeof value.type === 'string') return value.type;
  return flow(value);
}

interface Side {
  readonly label: string;
  /** Of the folder of a run: the beginning of the hash that its trial had when it was trained. */
  readonly hash?: string;
  readonly trials: readonly TrialSpec[];
  provenance(trial: TrialSpec): Provenance;
}

interface RowDifference {
  row: string;
  /** Whether both sides are the same trial: what differs then does not change the result. */
  same: boolean;
  values: { path: string; a: unknown; b: unknown; from: [string, string] }[];
}

function diff(a: string, b: string, { profile, json }: { profile?: string; json?: boolean }): void {
  const sides = [open(a, profile), open(b, profile)];
  const { pairs, alone } = pair(sides);
  const rows = pairs.map(([left, right]) => compare(sides, left, right));
  if (json) {
    process.stdout.write(`${JSON.stringify({ a, b, rows, only: alone }, null, 2)}\n`);
    return;
  }
  const out = [`A  ${sides[0].label}`, `B  ${sides[1].label}`];
  for (const { row, same, values } of rows) {
    const none = same ? 'no difference' : 'no difference in values; the code of components is another';
    const head = values.length === 0 ? none : same ? 'the same trial all the same' : undefined;
    out.push('', `${row}${head === undefined ? '' : `: ${head}`}`);
    for (const { path, a, b, from } of values) {
      out.push(`  ${path}`, `    A  ${shortly(a)}   (${from[0]})`, `    B  ${shortly(b)}   (${from[1]})`);
    }
  }
  (['a', 'b'] as const).forEach((side, i) => {
    if (alone[side].length > 0)
      out.push('', `only in ${'AB'[i]}: ${alone[side].map((row) => `"${row}"`).join(', ')}`);
  });
  process.stdout.write(`${out.join('\n')}\n`);
}

/** An experiment file, `file#row`, or the folder of a run. */
function open(name: string, profile: string | undefined): Side {
  if (readResolved(name) !== undefined) {
    const { trials, provenance } = loadExperiment(join(name, RESOLVED));
    const hash = /-([0-9a-f]{8})$/.exec(basename(resolve(name)))?.[1];
    return { label: name, hash, trials: trials.slice(0, 1), provenance };
  }
  const at = existsSync(name) ? -1 : name.indexOf('#');
  const file = at < 0 ? name : name.slice(0, at);
  const experiment = loadExperiment(file, { profile });
  const { provenance } = experiment;
  const all = oneOfEachRow(experiment);
  if (at < 0) return { label: name, trials: all, provenance };
  const row = name.slice(at + 1);
  const trials = all.filter((trial) => trial.row === row);
  if (trials.length === 0)
    throw new MtcpError('usage', `there is no row "${row}" in ${file}`, {
      where: `argument "${name}"`,
      hint: didYouMean(
        row,
        all.map((trial) => trial.row),
      ),
    });
  return { label: name, trials, provenance };
}

/** One row against one row whatever they are called, else rows of the same name. */
function pair([a, b]: readonly Side[]): {
  pairs: [TrialSpec, TrialSpec][];
  alone: { a: string[]; b: string[] };
} {
  const single = a.trials.length === 1 && b.trials.length === 1;
  const partner = (trial: TrialSpec, side: Side) =>
    side.trials.find(({ row }) => single || row === trial.row);
  const lonely = (one: Side, other: Side) =>
    one.trials.filter((trial) => !partner(trial, other)).map(({ row }) => row);
  return {
    pairs: a.trials.flatMap((trial): [TrialSpec, TrialSpec][] => {
      const other = partner(trial, b);
      return other ? [[trial, other]] : [];
    }),
    alone: { a: lonely(a, b), b: lonely(b, a) },
  };
}

/** One of them may be the beginning only. */
const sameHash = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

function compare(sides: readonly Side[], a: TrialSpec, b: TrialSpec): RowDifference {
  const fromOf = (side: Side, trial: TrialSpec, path: string) =>
    side.provenance(trial).origin(path.split('.')).where ?? 'default';
  const found = differences([
    { ...a, row: 'a' },
    { ...b, row: 'b' },
  ]);
  return {
    row: a.row === b.row ? a.row : `${a.row} / ${b.row}`,
    same: sameHash(sides[0].hash ?? a.hash, sides[1].hash ?? b.hash),
    values: found.map(({ path, values }) => ({
      path,
      a: values.a ?? null,
      b: values.b ?? null,
      from: [fromOf(sides[0], a, path), fromOf(sides[1], b, path)],
    })),
  };
}
