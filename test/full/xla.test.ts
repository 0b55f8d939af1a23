// Every row of every shipped experiment, at smoke size, on XLA's CPU plugin beside onnxruntime: a training step and its
// gradients, then the losses of a second one. Rows whose programs are the same are compared once. XLA's own passes run
// as always, but LLVM does not optimise the code for the CPU: that takes a quarter of an hour for MT-CP, and this a minute.
// MTCP_XLA_ROWS=table3,table4 chooses experiments.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { assembled } from '../../runners/model/assemble.js';
import { openExperiment } from '../../runners/config/open.js';
import type { TrialSpec } from '../../runners/config/index.js';
import { createEngine } from '../../runners/engine/index.js';
import type { Engine } from '../../runners/engine/engine.js';
import { RecordingEngine } from '../../runners/engine/recording.js';
import { createXlaRuntime } from '../../runners/engine/xla/runtime.js';
import { xlaPlugin } from '../support/oracle.js';
import { firstStep, gradientDistance, lossDistance, openStep, whenRun } from '../support/parity.js';
import { ROOT } from '../support/rooms.js';
import { requireXla } from '../support/xla/plugin.js';

process.env.XLA_FLAGS ??= '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true';

const FOLDER = join(ROOT, 'experiments');
const chosen = process.env.MTCP_XLA_ROWS?.split(',');

/**
 * Times float32's own distance: of the whole gradient, and of a single parameter's. Long sums go beyond it: onnxruntime's
 * sum of a million numbers is off by 23 units in the last place, XLA's by less than one.
 */
const WHOLE = 30;
const SINGLE = 100;
/**
 * Of losses after an update: AdamW's first step is the sign of the gradient, also where that is next to nothing. Or so
 * many times what moved inputs do to the same losses on onnxruntime, if that is more.
 */
const AFTER = { least: 5e-3, times: 3 };

/**
 * Not the two of the smoke profile: where a map has one pixel, BatchNorm over two images gives plus and minus one, and sums
 * of these are 0 but for rounding, where a ReLU decides by the sign. Engines then differ in which channels have a gradient.
 */
const IMAGES = 3;
const withImages = ({ config, ...trial }: TrialSpec): TrialSpec => ({
  ...trial,
  config: { ...config, train: { ...config.train, batch: IMAGES * config.train.accumulate } },
});

/** Of the engine's rows, each with the name of its experiment. */
const ROWS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((file) => ({ file, name: file.replace('.yaml', '') }))
  .filter(({ name }) => chosen?.includes(name) ?? true)
  .flatMap(({ file, name }) =>
    openExperiment(join(FOLDER, file), { profile: 'smoke', seeds: [0] }).trials.map(
      (trial): [string, TrialSpec] => [`${name}: ${trial.row}`, withImages(trial)],
    ),
  );

describe('xla beside onnx', function () {
  this.timeout(3_600_000);
  let onnx: Engine;
  /** Titles of the rows that were compared, by their programs. */
  const compared = new Map<string, string>();

  before(async function () {
    requireXla(this);
    onnx = await createEngine({ type: 'onnx', provider: 'cpu' }, 2);
  });

  after(() => onnx?.close());

  /** What onnxruntime computes: as it is, and with inputs that are moved. */
  async function expectedOf(trial: TrialSpec) {
    const step = await openStep(trial, onnx);
    try {
      const expected = await firstStep(trial, step);
      const moved = [];
      // The scheme has gone on with the step before.
      for (const how of ['one way', 'another way']) {
        const again = await openStep(trial, onnx);
        moved.push(await firstStep(trial, again, how));
        again.close();
      }
      return { expected, moved };
    } finally {
      step.close();
    }
  }

  ROWS.forEach(([title, trial], i) => {
    it(title, async () => {
      const tell = (what: string) => console.log(`    ${i + 1} of ${ROWS.length}: ${title}: ${what}`);
      const began = performance.now();
      const { runtime, programs } = whenRun(createXlaRuntime(xlaPlugin));
      const engine = new RecordingEngine({ runtime });
      try {
        if (assembled(trial).criterion.scheme.needs?.gradients?.ahead) {
          const error = await openStep(trial, engine).catch((reason: unknown) => reason);
          expect((error as Error).message).to.include('virtual steps');
          return tell('refused, for virtual steps are taken on the host');
        }
        const step = await openStep(trial, engine);
        const same = compared.get(programs.join());
        if (same !== undefined) {
          step.close();
          return tell(`the programs of ${same}`);
        }
        const actual = await firstStep(trial, step);
        step.close();
        compared.set(programs.join(), title);
        const { expected, moved } = await expectedOf(trial);
        const losses = lossDistance(actual.losses, expected.losses);
        const { whole, own, worst } = gradientDistance(
          actual.gradients,
          expected.gradients,
          moved.map(({ gradients }) => gradients),
        );
        const after = lossDistance(actual.after, expected.after);
        const ownAfter = Math.max(...moved.map((each) => lossDistance(each.after, expected.after)));
        const seconds = Math.round((performance.now() - began) / 1000);
        tell(
          `losses ${losses.toExponential(1)}, gradients ${whole.toExponential(1)} (float32 itself ${own.toExponential(1)}), at most ${worst.times.toFixed(1)} times that in ${worst.name}, losses after an update ${after.toExponential(1)} (${ownAfter.toExponential(1)}), ${seconds} s`,
        );
        expect(losses).to.be.below(1e-5);
        expect(whole).to.be.below(WHOLE * own);
        expect(worst.times, worst.name).to.be.below(SINGLE);
        expect(after).to.be.below(Math.max(AFTER.least, AFTER.times * ownAfter));
      } finally {
        engine.close();
      }
    });
  });
});
