// The commit that an experiment file belongs to, and what differs from it. The repository may come from a stranger, as
// the file may, and its configuration can name programs that git runs while it looks for differences. So git is called
// in a way that runs none of them.
import { execFileSync } from 'node:child_process';

export interface GitState {
  commit: string;
  branch: string;
  /** Of the remote "origin"; empty if there is none. */
  url: string;
  /** What differs from the commit; empty if nothing does. */
  diff: string;
}

const LONGEST_DIFF = 5 * 1024 * 1024;
const TIMEOUT = 5000;

/** Nothing is fetched, whatever a partial clone lacks, and nothing is written into the repository. */
const ENVIRONMENT = {
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_TERMINAL_PROMPT: '0',
};

/** Wins over what the repository says. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.fsmonitor', 'false'],
  ['core.hooksPath', '/dev/null'],
];

/** Settings as git takes them from the environment; on the command line a name could not hold every character. */
function environment(settings: readonly (readonly [string, string])[]): NodeJS.ProcessEnv {
  const first = Number(process.env.GIT_CONFIG_COUNT) || 0;
  const pairs = settings.flatMap(([name, value], i) => [
    [`GIT_CONFIG_KEY_${first + i}`, name],
    [`GIT_CONFIG_VALUE_${first + i}`, value],
  ]);
  const count = String(first + settings.length);
  return { ...process.env, ...ENVIRONMENT, ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: count };
}

/** Programs that contents pass through; those of the user's own configuration stay. */
const FILTERS = '^filter\\..*\\.(clean|smudge|process|required)$';

/** Undefined where there is no repository, or no commit yet. */
export function gitState(folder: string): GitState | undefined {
  let env = environment(SETTINGS);
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', ['-C', folder, ...args], {
        encoding: 'utf8',
        timeout: TIMEOUT,
        maxBuffer: LONGEST_DIFF,
        stdio: ['ignore', 'pipe', 'ignore'],
        env,
      });
    } catch {
      return '';
    }
  };
  const commit = git('rev-parse', '--verify', 'HEAD').trim();
  if (commit === '') return undefined;
  const scoped = git('config', '--null', '--show-scope', '--name-only', '--get-regexp', FILTERS).split('\0');
  const foreign = scoped.filter((_, i) => i % 2 === 1 && /^(local|worktree)$/.test(scoped[i - 1]));
  const off = foreign.map((key) => [key, key.endsWith('.required') ? 'false' : ''] as const);
  env = environment([...SETTINGS, ...off]);
  const plain = ['--no-ext-diff', '--no-textconv', '--ignore-submodules=dirty'];
  return {
    commit,
    branch: git('rev-parse', '--abbrev-ref', 'HEAD').trim(),
    url: git('remote', 'get-url', 'origin').trim(),
    diff: git('diff', ...plain, 'HEAD'),
  };
}
