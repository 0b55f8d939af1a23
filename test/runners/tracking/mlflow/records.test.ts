// What the tracker keeps on the disk: for its user alone, and read only as far as it is what was written.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redactor } from '../../../../runners/tracking/mlflow/client/connection.js';
import { beginInvocation, readInvocations } from '../../../../runners/tracking/mlflow/invocation.js';
import {
  RemoteRun,
  stateFormat,
  type RunState,
  type Target,
} from '../../../../runners/tracking/mlflow/remote-run.js';
import { temporaryFolder } from '../../../support/rooms.js';

const SERVER = 'http://127.0.0.1:1';
const target = { client: { transport: { uri: SERVER } }, moved() {} } as unknown as Target;

const remoteRun = (folder: string): RemoteRun<RunState> =>
  new RemoteRun(target, folder, stateFormat<RunState>({}), () => ({
    format: 1,
    server: SERVER,
    key: 'k',
    run: null,
    doubtful: false,
    status: null,
    files: {},
    refused: {},
  }));

function invocationIn(folder: string): string {
  const file = join(folder, 'x.yaml');
  writeFileSync(file, 'name: x\n');
  return beginInvocation(
    {
      experiment: 'x',
      title: 'x',
      file,
      profile: null,
      runs: folder,
      folder,
      name: 'x',
      options: { steps: 1, system: null, checkpoints: 'none', model: false, register: null },
      command: 'mtcp run x.yaml tracking.uri=http://me:p@ss@host/x',
    },
    new Redactor({}),
  ).folder;
}

describe('records of the tracker', () => {
  it('are for their user alone, and hold no login of an address', () => {
    const folder = invocationIn(temporaryFolder());
    const run = remoteRun(folder);
    run.state.run = { run_id: '1', experiment_id: '2', artifact_uri: 'ftp://me:secret@host/1' };
    run.save();
    const names = readdirSync(folder);
    expect(names).to.include.members(['invocation.json', 'experiment.yaml', 'state.json']);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o077, name).to.equal(0);
    expect(readFileSync(join(folder, 'invocation.json'), 'utf8'))
      .to.match(/http:\/\/\*\*\*@host\/x/)
      .and.not.match(/p@ss|me:/);
    expect(remoteRun(folder).state.run!.run_id).to.equal('1');
  });

  it('of a run begin again where one cannot be read', () => {
    const folder = temporaryFolder();
    const whole = { ...remoteRun(folder).state, key: 'another' };
    const path = join(folder, 'state.json');
    for (const damaged of [
      '',
      'null',
      '[]',
      JSON.stringify({ ...whole, format: 2 }),
      JSON.stringify({ ...whole, files: null }),
      JSON.stringify({ ...whole, run: { run_id: 3 } }),
      JSON.stringify({ ...whole, refused: { a: 1 } }),
    ]) {
      writeFileSync(path, damaged);
      expect(remoteRun(folder).state.key, damaged).to.equal('k');
    }
    writeFileSync(path, JSON.stringify(whole));
    expect(remoteRun(folder).state.key).to.equal('another');
  });

  it('of an invocation are left out where one cannot be read, or names folders elsewhere', () => {
    const home = temporaryFolder();
    const path = join(invocationIn(home), 'invocation.json');
    const [{ record }] = readInvocations(home);
    const { trials: _, ...without } = record;
    for (const damaged of [
      '{',
      JSON.stringify(without),
      JSON.stringify({ ...record, options: {} }),
      JSON.stringify({ ...record, outcome: 'odd' }),
      JSON.stringify({ ...record, trials: ['../../elsewhere'] }),
    ]) {
      writeFileSync(path, damaged);
      expect(readInvocations(home), damaged).to.deep.equal([]);
    }
    writeFileSync(path, JSON.stringify(record));
    mkdirSync(join(home, '.mlflow/empty'));
    writeFileSync(join(home, '.mlflow/file'), '');
    expect(readInvocations(home).map((each) => each.record)).to.deep.equal([record]);
  });
});
