// mtcp join: what the other processes of a trial run. mtcp starts it itself.
import type { Command } from 'commander';
import { STOPPING } from '../signals.js';

export function declare(command: Command): void {
  command
    .description(
      'Shares the steps of trials with the process that writes the file: computes some micro-batches of each step, and writes nothing. mtcp run --processes and the jobs of a cluster start it.',
    )
    .argument('<file>', 'file in which that process writes its address')
    .option('--once', 'one trial; it ends with the process that started it')
    .addHelpText('after', '\nExample:\n  mtcp join runs/table3/.jobs/20260101120000-1a2b/main-0.meeting.json')
    .action(join);
}

async function join(file: string, { once }: { once?: boolean }): Promise<void> {
  // When a trial stops is decided by the process that has it; this one has nothing to save.
  let asked = false;
  for (const signal of STOPPING) process.on(signal, () => (asked ||= signal === 'SIGTERM'));
  const { joinAll, joinOnce } = await import('../../launching/processes.js');
  const tell = (message: string) => void process.stderr.write(`${message}\n`);
  if (!once) {
    await joinAll(file, tell, () => asked);
    process.exit(0);
  }
  const { dieWith } = await import('../../support/parent.js');
  dieWith(process.ppid);
  // Libraries may have threads that would go on.
  await joinOnce(file, tell).then(
    () => process.exit(0),
    () => process.exit(1),
  );
}
