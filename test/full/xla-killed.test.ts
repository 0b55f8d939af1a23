// Weights, moments and statistics stay on the device during training. A run that is killed there ends like an undisturbed
// one all the same: checkpoints hold everything, to the last bit.
import { expect } from 'chai';
import { expectSameRun, mtcp, smallExperiment } from '../support/crash.js';
import { xlaPlugin } from '../support/oracle.js';
import { pending } from '../support/pending.js';
import { temporaryFolder } from '../support/rooms.js';

describe('a run on xla that is killed', function () {
  // Each process compiles its programs or reads them from the cache.
  this.timeout(400_000);

  it('goes on as if nothing had happened', async function () {
    if (!xlaPlugin) pending(this, '`mtcp engine install xla:cpu` installs the plugin');
    const file = smallExperiment();
    const run = (runs: string, each?: Parameters<typeof mtcp>[1]) => {
      const engine = ['--engine', `xla:${xlaPlugin}`];
      return mtcp(
        ['run', file, '--profile', 'smoke', 'train.epochs=3', ...engine, '--runs', runs, '--json'],
        each,
      );
    };
    const [undisturbed, killed] = [temporaryFolder(), temporaryFolder()];
    const { code, stderr } = await run(undisturbed);
    expect(code, stderr).to.equal(0);
    for (const last of ['checkpoint', 'step']) {
      let seen = false;
      const each = ({ event }: { event: string }) => {
        if (event !== last || seen) return undefined;
        seen = true;
        return 'SIGKILL' as const;
      };
      expect(await run(killed, { each })).to.include({ signal: 'SIGKILL' });
    }
    const rest = await run(killed);
    expect(rest.code, rest.stderr).to.equal(0);
    expect(rest.stdout).to.contain('"event":"resumed"');
    expectSameRun(killed, undisturbed);
  });
});
