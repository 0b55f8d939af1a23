// Points of a tree-structured Parzen estimator, by Optuna. Optuna is Python: each round starts `python -c` once, tells it
// what became of earlier points and asks for more. The study lies in Optuna's own storage, optuna.log in the folder of the
// search, where Optuna's dashboard reads it too. What the study does not know, for example because the file was deleted,
// is told again from the results of the trials.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { makeFolder } from '../../../registry/support/make-folder.js';
import { drawn, isPoint, type Point, type SearchSpec } from '../../config/index.js';
import type { SearchResult } from '../../reporting/search.js';

const SCRIPT = `
import json, sys
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.trial import TrialState, create_trial
try:
    from optuna.storages.journal import JournalFileBackend
except ImportError:
    from optuna.storages import JournalFileStorage as JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
import warnings
warnings.simplefilter('ignore')
request = json.load(sys.stdin)
space = {}
for p in request['space']:
    if 'choices' in p:
        space[p['path']] = CategoricalDistribution(p['choices'])
    else:
        space[p['path']] = FloatDistribution(p['from'], p['to'], log=p['log'], step=p['step'])
study = optuna.create_study(
    study_name='mtcp',
    storage=JournalStorage(JournalFileBackend(request['storage'])),
    direction=request['direction'],
    load_if_exists=True,
    sampler=optuna.samplers.TPESampler(
        seed=request['seed'], multivariate=True, constant_liar=True, n_startup_trials=request['startup']
    ),
)
known = {t.user_attrs.get('mtcp'): t for t in study.get_trials(deepcopy=False)}
for told in request['told']:
    trial, score = known.get(told['index']), told['score']
    if trial is None and score is not None:
        study.add_trial(create_trial(params=told['point'], distributions=space, value=score,
                                     user_attrs={'mtcp': told['index']}))
    elif trial is not None and not trial.state.is_finished():
        if score is not None:
            study.tell(trial.number, score)
        elif told['failed']:
            study.tell(trial.number, state=TrialState.FAIL)
points = []
for index in request['ask']:
    trial = study.ask(space)
    trial.set_user_attr('mtcp', index)
    points.append(trial.params)
print(json.dumps(points))
`;

/** @throws MtcpError `usage` if there is no Python with Optuna */
export async function optunaPoints(
  spec: SearchSpec,
  folder: string,
  { better, trials }: SearchResult,
  indices: readonly number[],
): Promise<Point[]> {
  makeFolder(folder);
  const request = {
    storage: join(folder, 'optuna.log'),
    direction: better === 'higher' ? 'maximize' : 'minimize',
    // Another stream for each round, and the same when a round is repeated.
    seed: (spec.seed * 100_003 + indices[0]) % 2 ** 31,
    startup: spec.startup,
    space: spec.over.map((parameter) =>
      parameter.kind === 'choice'
        ? { path: parameter.path, choices: parameter.choices.map(({ label }) => label) }
        : {
            path: parameter.path,
            from: parameter.from,
            to: parameter.to,
            log: parameter.log,
            step: parameter.step,
          },
    ),
    told: trials.flatMap(({ index, point, score, states }) =>
      point
        ? [{ index, point, score: score ?? null, failed: states.every((state) => state === 'failed') }]
        : [],
    ),
    ask: indices,
  };
  const python = process.env.MTCP_PYTHON || 'python3';
  const answer = JSON.parse(await runPython(python, JSON.stringify(request))) as Point[];
  return answer.map((point) => rounded(spec, point));
}

/** To as many digits as the names of rows have. */
function rounded(spec: SearchSpec, point: Point): Point {
  const values = spec.over.map((parameter) => {
    const value = point[parameter.path];
    if (parameter.kind === 'choice' || typeof value !== 'number') return [parameter.path, value] as const;
    const { from, to, log, step } = parameter;
    if (step !== null) return [parameter.path, Number(value.toPrecision(12))] as const;
    const share = log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
    return [parameter.path, drawn(parameter, share)] as const;
  });
  const made = Object.fromEntries(values);
  if (isPoint(spec, made)) return made;
  throw new MtcpError('io', `Optuna proposes a point outside of the space: ${JSON.stringify(point)}`);
}

function runPython(python: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-c', SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, log] = ['', ''];
    child.stdout.on('data', (text) => (out += text));
    child.stderr.on('data', (text) => (log += text));
    child.on('error', (cause) => reject(noOptuna(python, `cannot be started: ${cause.message}`, cause)));
    child.on('close', (code) => {
      if (code === 0) return resolve(out);
      const last = log.trim().split('\n').at(-1) ?? '';
      if (/No module named '?optuna/.test(log)) reject(noOptuna(python, 'has no Optuna'));
      else reject(new MtcpError('io', `Optuna ended with code ${code}: ${last}`, { where: python }));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const noOptuna = (python: string, message: string, cause?: unknown): MtcpError =>
  new MtcpError('usage', `search type tpe needs Python with Optuna; ${python} ${message}`, {
    hint: 'pip install optuna, name another Python with MTCP_PYTHON, or search with type: random',
    cause,
  });
