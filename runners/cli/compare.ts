// mtcp forward and mtcp grad.
import { MtcpError } from '../../registry/errors.js';
import { forward as runForward, listFeatures } from '../app/compare/forward.js';
import { grad as runGrad } from '../app/compare/grad.js';
import { textTable } from '../reporting/table.js';
import type { TensorOptions } from './flags.js';
import { oneTrial } from './one-trial.js';

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
  { outputs, list, ...options }: TensorOptions & { outputs?: string; list?: boolean },
): Promise<void> {
  const trial = oneTrial(file, overrides, options);
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

export async function grad(file: string, overrides: string[], options: TensorOptions): Promise<void> {
  const trial = oneTrial(file, overrides, options);
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
