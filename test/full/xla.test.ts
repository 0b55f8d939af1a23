// Every row of every shipped experiment, at smoke size, on XLA's CPU plugin beside onnxruntime: two training steps, each
// with a batch of its own. A row takes XLA's compiler up to a minute. MTCP_XLA_ROWS=table3 chooses experiments.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { assembled } from '../../runners/model/assemble.js';
import { openExperiment } from '../../runners/config/open.js';
import type { TrialSpec } from '../../runners/config/index.js';
import { createEngine } from '../../runners/engine/index.js';
import { differenceOf, stepsOf } from '../../runners/app/doctor/trial-steps.js';
import { xlaPlugin } from '../support/oracle.js';
import { pending } from '../support/pending.js';
import { ROOT } from '../support/rooms.js';

const FOLDER = join(ROOT, 'experiments');
const chosen = process.env.MTCP_XLA_ROWS?.split(',');

describe('xla beside onnx', function () {
  this.timeout(1_800_000);

  before(function () {
    if (!xlaPlugin) pending(this, 'test/support/xla/install.sh installs the plugin');
  });

  const steps = async (trial: TrialSpec, xla: boolean) => {
    const choice = xla
      ? ({ type: 'xla', plugin: xlaPlugin! } as const)
      : ({ type: 'onnx', provider: 'cpu' } as const);
    const engine = await createEngine(choice, 2);
    try {
      return await stepsOf(trial, engine);
    } finally {
      engine.close();
    }
  };

  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))) {
    const name = file.replace('.yaml', '');
    if (chosen && !chosen.includes(name)) continue;
    const { trials } = openExperiment(join(FOLDER, file), { profile: 'smoke', seeds: [0] });
    for (const trial of trials)
      it(`${name}: ${trial.row}`, async () => {
        if (assembled(trial).criterion.scheme.needs?.gradients?.ahead) {
          const error = await steps(trial, true).catch((reason: unknown) => reason);
          expect((error as Error).message).to.include('virtual steps');
          return;
        }
        const [expected, actual] = [await steps(trial, false), await steps(trial, true)];
        expect(differenceOf({ ...expected, losses: expected.losses.slice(0, 1) }, actual)).to.be.below(1e-5);
        // AdamW's first step is the sign of the gradient where that is next to nothing.
        expect(differenceOf(expected, actual)).to.be.below(5e-3);
      });
  }
});
