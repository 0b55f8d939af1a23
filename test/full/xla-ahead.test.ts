// The paper's step, 480x640 with a batch of 2, compiled for an H100 without one: it has to fit with room to spare. LLVM's
// optimisation of the code is left out, which saves time: memory is assigned before it.
import { join } from 'node:path';
import { expect } from 'chai';
import '../../modules/index.js';
import { createTrialContainer } from '../../registry/container.js';
import { assembled } from '../../runners/model/assemble.js';
import { loadExperiment } from '../../runners/config/index.js';
import { AheadCompiler, aheadRuntime } from '../../runners/engine/xla/ahead.js';
import type { MemoryStats } from '../../runners/engine/xla/forms.js';
import { CompiledPrograms } from '../../runners/engine/xla/compiled.js';
import { RecordingEngine } from '../../runners/engine/recording.js';
import { telling } from '../../runners/engine/telling.js';
import { compileStep } from '../../runners/training/running-trial.js';
import { cudaPlugin } from '../support/oracle.js';
import { pending } from '../support/pending.js';
import { ROOT, temporaryFolder } from '../support/rooms.js';

process.env.XLA_FLAGS ??= '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true';

/** Half of an H100's 80 GB. */
const MOST = 40e9;

describe('the full step on an H100', function () {
  this.timeout(3_600_000);

  it('takes less than 40 GB', async function () {
    if (!cudaPlugin) pending(this, '`mtcp engine install xla:cuda13` installs the plugin');
    const [trial] = loadExperiment(join(ROOT, 'experiments', 'table3.yaml'), {
      profile: 'full',
      rows: ['MT-CP'],
      overrides: ['train.batch=2'],
    }).trials;
    const compiler = new AheadCompiler('h100', new CompiledPrograms(temporaryFolder()), cudaPlugin);
    const programs: MemoryStats[] = [];
    const engine = telling(
      new RecordingEngine({
        runtime: aheadRuntime(compiler, 'float32', ({ memory, operations, seconds }) => {
          programs.push(memory!);
          console.log(`    ${operations} operations, ${Math.round(seconds)} s: ${JSON.stringify(memory)}`);
        }),
      }),
      (what) => console.log(`    ${what}`),
    );
    const parts = assembled(trial);
    const { size } = createTrialContainer(parts.tasks).create('transform', trial.config.augment);
    expect(size).to.deep.equal([480, 640]);
    const step = await compileStep(trial, engine, parts, size);
    step.close();
    engine.close();
    const [gradient, update] = programs;
    expect(programs).to.have.length(2);
    // The optimizer's state is there while gradients are computed.
    const bytes = gradient.arguments + gradient.outputs + gradient.temporary + update.arguments;
    console.log(`    ${(bytes / 1e9).toFixed(1)} GB`);
    expect(bytes).to.be.within(1e9, MOST);
  });
});
