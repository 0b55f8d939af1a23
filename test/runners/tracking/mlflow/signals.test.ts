// `mtcp run` processes that are ended by signals, and what the server shows of them: one run, whose state is the
// trial's, through all its ends and new beginnings.
import { expect } from 'chai';
import { rmSync } from 'node:fs';
import { mtcp, smallExperiment, type Ended } from '../../../support/crash.js';
import { temporaryRuns } from '../../../support/mlflow/folders.js';
import { sharedServer, type TestServer } from '../../../support/mlflow/server.js';

const STEPS = 400;

describe('MLflow and signals', function () {
  // A server in Python, perhaps on a busy machine.
  this.timeout(180_000);
  const runs = temporaryRuns();
  const file = smallExperiment();
  const name = `signals ${process.pid}`;
  let test: TestServer;
  let shell: string;

  before(async function () {
    test = await sharedServer(this);
    shell = `export MLFLOW_TRACKING_URI=${test.server.uri} MLFLOW_EXPERIMENT_NAME='${name}'`;
  });
  after(() => rmSync(runs, { recursive: true }));

  /** @param signal sent soon after the server knows of the run */
  const train = (signal?: NodeJS.Signals): Promise<Ended> => {
    let [known, left] = [false, 3];
    return mtcp(
      [
        'run',
        file,
        '--profile',
        'smoke',
        'train.epochs=200',
        'train.checkpoint.every=10',
        'evaluate.every=200',
        '--runs',
        runs,
        '--json',
      ],
      {
        shell,
        each(event: { event: string; url?: string | null }) {
          if (event.event === 'tracking' && event.url) known = true;
          if (known && event.event === 'step') left--;
          return left === 0 ? signal : undefined;
        },
      },
    );
  };
  const gc = async (): Promise<string[]> => {
    const { code, stdout, stderr } = await mtcp(['mlflow', 'gc', '--runs', runs, '--json'], { shell });
    expect(code, stderr).to.equal(0);
    return (JSON.parse(stdout) as { closed: string[] }).closed;
  };

  /** States and numbers of the two runs: the invocation's and the trial's. */
  async function shown() {
    const { id } = await test.reader.ask<{ id: string }>('experiment', { name });
    const ids = await test.reader.ask<string[]>('runs', { experiment: id });
    const found: Record<string, { id: string; status: string; state: string }> = {};
    for (const run_id of ids) {
      const { status, tags } = await test.reader.ask<{ status: string; tags: Record<string, string> }>(
        'run',
        { run_id },
      );
      found[tags['mtcp.row'] ? 'trial' : 'parent'] = { id: run_id, status, state: tags['mtcp.state'] };
    }
    expect(ids).to.have.length(2);
    return found;
  }
  const statuses = async () => {
    const { parent, trial } = await shown();
    return [parent.status, trial.status];
  };

  it('shows one run through SIGTERM, SIGINT and kill -9 to its end', async () => {
    const terminated = await train('SIGTERM');
    expect(terminated.code, terminated.stderr).to.equal(75);
    const { parent, trial } = await shown();
    expect([parent.status, trial.status, trial.state]).to.deep.equal(['KILLED', 'KILLED', 'interrupted']);

    expect(await train('SIGINT')).to.include({ code: 75 });
    expect(await statuses()).to.deep.equal(['KILLED', 'KILLED']);

    // Nobody is left to say that it is over.
    expect(await train('SIGKILL')).to.include({ signal: 'SIGKILL' });
    expect(await statuses()).to.deep.equal(['RUNNING', 'RUNNING']);
    expect(await gc()).to.have.length(2);
    expect(await statuses()).to.deep.equal(['KILLED', 'KILLED']);
    expect((await shown()).trial.state).to.equal('died');
    expect(await gc()).to.deep.equal([]);

    // And again, but now the next run finds it.
    expect(await train('SIGKILL')).to.include({ signal: 'SIGKILL' });
    const finished = await train();
    expect(finished.code, finished.stderr).to.equal(0);
    const end = await shown();
    expect([end.parent, end.trial]).to.deep.equal([
      { id: parent.id, status: 'FINISHED', state: 'finished' },
      { id: trial.id, status: 'FINISHED', state: 'done' },
    ]);
    const history = await test.reader.ask<Record<string, [number, number, number][]>>('history', {
      run_id: trial.id,
    });
    expect(history['train/objective'].map(([step]) => step)).to.deep.equal(
      Array.from({ length: STEPS }, (_, i) => i + 1),
    );
    expect(history['final/depth/RMSE']).to.have.length(1);
  });
});
