// Tags that MLflow itself understands, the same for an invocation and its trials: source, user, commit.
import { tag } from './entities.js';
import type { Tag } from './client/index.js';
import type { Invocation } from './invocation.js';

export function runTags({
  file,
  job,
  git,
  host,
  version,
  experiment,
  profile,
  command,
  key,
}: Invocation): Tag[] {
  return [
    tag('mlflow.source.name', file),
    tag('mlflow.source.type', job ? 'JOB' : 'LOCAL'),
    ...(git
      ? [
          tag('mlflow.source.git.commit', git.commit),
          tag('mlflow.source.git.branch', git.branch),
          ...(git.url ? [tag('mlflow.source.git.repoURL', git.url)] : []),
          tag('mlflow.source.git.dirty', String(git.dirty)),
        ]
      : []),
    tag('mtcp.experiment', experiment),
    ...(profile === null ? [] : [tag('mtcp.profile', profile)]),
    tag('mtcp.command', command),
    tag('mtcp.version', version),
    tag('mtcp.host', host),
    tag('mtcp.invocation', key),
    ...(job ? [tag('slurm.job_id', job)] : []),
  ];
}
