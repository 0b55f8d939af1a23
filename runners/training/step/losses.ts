// Reads what the gradients come with: losses and other single numbers of the last micro-batch.
import type { Criterion } from '../../model/objective.js';
import { NAMES } from '../../model/step-inputs.js';
import type { StepResult } from './step-result.js';

export class Losses {
  /**
   * @param names of the numbers
   * @param value of a number, as of the last run
   */
  constructor(
    readonly criterion: Criterion,
    readonly names: () => readonly string[],
    readonly value: (name: string) => number,
  ) {}

  /** Losses of the tasks that had a valid pixel, and the scheme's weights. */
  read(): StepResult {
    const weights = { ...this.criterion.scheme.weights() };
    const result: StepResult = { total: this.value('total'), raw: {}, projected: {}, weights, cosines: {} };
    for (const { name } of this.criterion.tasks) {
      if (this.value(NAMES.valid(name)) === 0) continue;
      result.raw[name] = this.value(NAMES.raw(name));
      result.projected[name] = this.value(NAMES.projected(name));
    }
    const prefix = NAMES.penalty('');
    const added = this.names().filter((name) => name.startsWith(prefix));
    if (added.length > 0)
      result.penalties = Object.fromEntries(
        added.map((name) => [name.slice(prefix.length), this.value(name)]),
      );
    return result;
  }

  /** A task's term of the objective. */
  term(task: string): number {
    return this.value(NAMES.term(task));
  }

  /** Every loss: `total`, each task's own, `intermediate.<task>.<i>`, and `penalty.<component>`. */
  all(): Map<string, number> {
    const kinds = ['raw/', 'intermediate/', 'penalty/'];
    const names = this.names().filter(
      (name) => name === 'total' || kinds.some((kind) => name.startsWith(kind)),
    );
    return new Map(names.map((name) => [name.replace(/^raw\//, '').replace('/', '.'), this.value(name)]));
  }
}
