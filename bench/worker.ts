// mtcp's process of a benchmark, started by main.ts; it speaks the protocol of python/peer.py. Its first line of
// input is the setup: the part, sizes, and how every tensor is drawn.
import { createInterface } from 'node:readline';
import { createEngine, type EngineChoice } from '../runners/engine/index.js';
import { createSubject, type Setup, type Subject } from './subject.js';

interface Command {
  run?: number;
  outputs?: null;
  quit?: boolean;
}

const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** Linux and macOS differ in the unit, but Node's resourceUsage is in kilobytes on both. */
const peakRss = () => process.resourceUsage().maxRSS * 1024;

async function obey(subject: Subject, { run, outputs }: Command): Promise<object> {
  if (run !== undefined) {
    const seconds: number[] = [];
    for (let i = 0; i < run; i++) {
      const start = performance.now();
      await subject.step();
      seconds.push((performance.now() - start) / 1000);
    }
    return { seconds, peakRss: peakRss(), deviceBytes: subject.deviceBytes };
  }
  if (outputs !== undefined) return { outputs, checksums: await subject.checksums() };
  throw new Error('unknown command; known are run, outputs and quit');
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async <T>(): Promise<T | undefined> => {
  const { value, done } = await lines.next();
  return done ? undefined : (JSON.parse(value) as T);
};

const setup = (await next<Setup & { threads: number; engine: EngineChoice }>())!;
const started = performance.now();
const engine = await createEngine(setup.engine, setup.threads);
const subject = await createSubject(engine, setup);
const { flops, traffic = 0, graph } = subject;
answer({
  flops,
  traffic,
  graph,
  startSeconds: (performance.now() - started) / 1000,
  peakRss: peakRss(),
});
for (let command = await next<Command>(); command && !command.quit; command = await next<Command>())
  answer(await obey(subject, command).catch((error: Error) => ({ error: error.message })));
process.exit(0);
