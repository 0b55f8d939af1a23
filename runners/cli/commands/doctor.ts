// mtcp doctor
import type { Command } from 'commander';
import type { Diagnosis } from '../../app/doctor/doctor.js';
import { textTable } from '../../reporting/table.js';
import { JSON_DOCUMENT, parseThreads } from '../flags.js';
import { Progress } from '../progress.js';

export function declare(command: Command): void {
  command
    .description(
      'Tries every engine in a separate process, measures a matrix product, and says how to mend those that do not work. Ends with code 1 if the default engine does not.',
    )
    .option('--threads <n>', 'threads of the engines; one per core if left out')
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp doctor
  mtcp doctor --threads 2 --json`,
    )
    .action(doctor);
}

async function doctor({ json, threads }: { json?: boolean; threads?: string }): Promise<void> {
  const { diagnose } = await import('../../app/doctor/doctor.js');
  const progress = new Progress(process.stderr, Boolean(json));
  const diagnosis = await diagnose(
    (name, done, total) => progress.state(`trying ${name}`, done, total),
    parseThreads(threads),
  );
  progress.clear();
  process.stdout.write(`${json ? JSON.stringify(diagnosis, null, 2) : text(diagnosis)}\n`);
  // Without the default engine nothing runs as the experiment files say.
  if (!diagnosis.engines.find(({ name }) => name === 'onnx')?.ok) process.exitCode = 1;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function text({ versions, machine, engines }: Diagnosis): string {
  const { platform, processor, cores, memory, free } = machine;
  const rows = engines.map(({ name, ok, what, gflops, size }) => [
    name,
    ok ? 'works' : 'no',
    ok ? `${gflops!.toFixed(1)} GFLOP/s` : '-',
    ok ? `${what}; product of ${size}x${size} matrices` : 'see below',
  ]);
  const missing = engines
    .filter(({ ok }) => !ok)
    .flatMap(({ name, what, hint }) => [`  ${name}: ${what.trim()}`, ...(hint ? [`    ${hint}`] : [])]);
  return [
    `${platform}, ${processor}, ${cores} core${cores === 1 ? '' : 's'}, ${gigabytes(memory)} of memory, ${gigabytes(free)} free`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    '',
    textTable(
      [
        { title: 'engine' },
        { title: 'state' },
        { title: 'matrix product', align: 'right' },
        { title: 'what it is' },
      ],
      rows,
    ),
    ...(missing.length > 0 ? ['', 'What does not work, and what to do about it:', ...missing] : []),
  ].join('\n');
}
