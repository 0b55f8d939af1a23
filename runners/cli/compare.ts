// mtcp forward and mtcp grad.
import { MtcpError } from '../../registry/errors.js';
import { forward as runForward, listFeatures } from '../compare/forward.js';
import { grad as runGrad } from '../compare/grad.js';
import type { Trial } from '../config/index.js';
import { openExperiment } from '../experiment.js';
import { textTable } from '../reporting/table.js';
import { parseSeeds, parseThreads } from './run.js';

interface Common {
  profile?: string;
  row?: string[];
  seeds?: string;
  engine?: string;
  threads?: string;
  weights?: string;
  partial?: string[];
  input?: string;
  out?: string;
  json?: boolean;
}

/** The one trial that is meant: of a row and, if there are several, a seed. */
export function trialOf(file: string, overrides: string[], options: Partial<Common>): Trial {
  const { trials } = openExperiment(file, {
    profile: options.profile,
    rows: options.row,
    seeds: parseSeeds(options.seeds),
    engine: options.engine,
    threads: parseThreads(options.threads),
    overrides,
  });
  const rows = [...new Set(trials.map(({ row }) => row))];
  if (rows.length > 1)
    throw new MtcpError('usage', `${file} has ${rows.length} rows, one of them is wanted`, {
      hint: `choose with --row: ${rows.map((row) => `"${row}"`).join(', ')}`,
    });
  return trials[0];
}

/** @throws MtcpError `usage` if a flag that this command needs was not given */
function required(value: string | undefined, flag: string): string {
  if (value !== undefined) return value;
  throw new MtcpError('usage', `${flag} is missing`, { hint: 'see --help for an example' });
}

const shown = (shape: readonly number[]): string => shape.join('x') || 'a number';

function print(json: boolean | undefined, value: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
}

export async function forward(
  file: string,
  overrides: string[],
  { outputs, list, ...options }: Common & { outputs?: string; list?: boolean },
): Promise<void> {
  const trial = trialOf(file, overrides, options);
  const { json, weights, partial } = options;
  if (list) {
    const features = await listFeatures(trial, options.input);
    print(json, features, () =>
      textTable(
        [{ title: 'feature' }, { title: 'batch x channels x height x width' }],
        features.map(({ name, shape }) => [name, shown(shape)]),
      ),
    );
    return;
  }
  const names = required(outputs, '--outputs')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const out = required(options.out, '-o');
  const input = required(options.input, '--input');
  const computed = await runForward(trial, { weights, partial, input, outputs: names, out });
  print(json, { ...computed, out }, () =>
    [
      `${trial.row}, seed ${trial.seed}: ${computed.seconds.toFixed(2)} s (${computed.engine})`,
      ...computed.features.map(({ name, shape }) => `  ${name}  ${shown(shape)}`),
      `written: ${out}`,
    ].join('\n'),
  );
}

export async function grad(file: string, overrides: string[], options: Common): Promise<void> {
  const trial = trialOf(file, overrides, options);
  const { json, weights, partial } = options;
  const out = required(options.out, '-o');
  const input = required(options.input, '--input');
  const computed = await runGrad(trial, { weights, partial, input, out });
  const width = Math.max(...Object.keys(computed.losses).map((name) => name.length));
  print(json, { ...computed, out }, () =>
    [
      `${trial.row}, seed ${trial.seed}: ${computed.seconds.toFixed(2)} s (${computed.engine})`,
      ...Object.entries(computed.losses).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
      `  ${computed.gradients} gradients, norm ${computed.norm}`,
      `written: ${out}`,
    ].join('\n'),
  );
}
