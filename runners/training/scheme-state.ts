// The scheme's part of a checkpoint: its state, and the tasks that it is about. A state cannot be continued with
// other tasks: nothing in it says what a new task's weight, first loss or running gradient should be.
import { MtcpError } from '../../registry/errors.js';
import type { Criterion } from '../model/objective.js';

interface Saved {
  tasks: string[];
  state: unknown;
}

export function schemeState({ tasks, scheme }: Criterion): Saved {
  return { tasks: tasks.map(({ name }) => name), state: scheme.state() };
}

/** @throws MtcpError `weights` if the tasks are not those of the checkpoint */
export function restoreScheme({ tasks, scheme }: Criterion, saved: unknown, checkpoint: string): void {
  const { tasks: before, state } = saved as Saved;
  const now = tasks.map(({ name }) => name);
  const added = now.filter((task) => !before.includes(task));
  const gone = before.filter((task) => !now.includes(task));
  if (added.length > 0 || gone.length > 0) {
    const changes = [
      ...(added.length > 0 ? [`${added.join(', ')} added`] : []),
      ...(gone.length > 0 ? [`${gone.join(', ')} gone`] : []),
    ];
    throw new MtcpError(
      'weights',
      `training cannot go on with other tasks (${changes.join('; ')}): the loss weighting has no history of them`,
      {
        where: checkpoint,
        hint: `the checkpoint was trained on ${before.join(', ')}; start a new trial for other tasks`,
      },
    );
  }
  scheme.restore(state);
}
