// Gradient Vaccine: like gradient surgery, but towards a cosine that is learnt for each pair of tasks (a running
// mean of the observed ones) instead of towards 0, and for parts of the network by themselves.
import {
  component,
  defineOptions,
  shuffle,
  type Combination,
  type OptionsOf,
  type StepInfo,
  type TaskGradients,
} from '../../../registry/index.js';
import { dot, form } from '../machinery/solvers/linear.js';
import { gradientProperties, GradientScheme } from '../machinery/gradient-scheme.js';
import { columnSums } from './pcgrad.js';

const schema = defineOptions({
  beta: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Share of the newest cosine in the running one; 0.5 in LibMTL, 0.01 in the paper.',
  },
  granularity: {
    enum: ['whole', 'layer', 'matrix'],
    default: 'whole',
    description: 'Compared as one vector, layer by layer, or parameter by parameter.',
  },
  ...gradientProperties('all', 'sum'),
});

type Part = TaskGradients['groups'][number] & { spans: (readonly [number, number])[] };

const EPSILON = 1e-8;

@component({
  kind: 'scheme',
  name: 'gradvac',
  summary: 'Gradients turned towards each other where they agree less than they used to.',
  source: 'Wang et al. 2021 (Gradient Vaccine), Algorithm 1',
  options: schema,
  file: import.meta.url,
})
export class GradientVaccine extends GradientScheme<OptionsOf<typeof schema>> {
  protected override readonly onlyProducts = this.options.granularity === 'whole';

  /** Running cosines: part -> from task -> to task. */
  #cosines: Record<string, number[][]> = {};

  protected mix(gradients: TaskGradients, { random }: StepInfo): Combination {
    const { vectors, gram } = gradients;
    const places = this.places(gradients);
    if (this.options.granularity === 'whole')
      return { coefficients: this.#vaccinate('', gram, places, random) };
    const combined = new Float32Array(vectors[0].length);
    const mean = vectors.map(() => 0);
    for (const { name, spans } of this.#parts(gradients)) {
      const coefficients = this.#vaccinate(name, gramOver(vectors, spans), places, random);
      for (const [start, end] of spans) {
        vectors.forEach((vector, t) => {
          for (let i = start; i < end; i++) combined[i] += coefficients[t] * vector[i];
          mean[t] += (coefficients[t] * (end - start)) / combined.length;
        });
      }
    }
    return { coefficients: mean, combined };
  }

  /** Groups of cells that are compared by themselves. */
  #parts({ groups }: TaskGradients): Part[] {
    const parts = new Map<string, Part>();
    for (const group of groups) {
      const name =
        this.options.granularity === 'layer'
          ? group.name.slice(0, Math.max(0, group.name.lastIndexOf('.')))
          : group.name;
      const part = parts.get(name);
      if (part) part.spans.push([group.start, group.end]);
      else parts.set(name, { ...group, name, spans: [[group.start, group.end]] });
    }
    return [...parts.values()];
  }

  #vaccinate(
    part: string,
    gram: readonly (readonly number[])[],
    places: readonly number[],
    random: StepInfo['random'],
  ): number[] {
    const { beta } = this.options;
    const running = (this.#cosines[part] ??= this.tasks.map(() => this.tasks.map(() => 0)));
    const rows = gram.map((_, i) => {
      const row = gram.map((__, j) => (i === j ? 1 : 0)) as number[];
      const others = shuffle(
        gram.map((__, j) => j).filter((j) => j !== i),
        random,
      );
      for (const j of others) {
        const length = Math.sqrt(Math.max(0, form(row, gram, row)));
        const other = Math.sqrt(gram[j][j]);
        const cosine = dot(row, gram[j]) / (length * other + EPSILON);
        const wanted = running[places[i]][places[j]];
        if (cosine < wanted) {
          const across = Math.sqrt(Math.max(0, 1 - wanted * wanted));
          row[j] +=
            (length * (wanted * Math.sqrt(Math.max(0, 1 - cosine * cosine)) - cosine * across)) /
            (other * across + EPSILON);
        }
        running[places[i]][places[j]] = (1 - beta) * wanted + beta * cosine;
      }
      return row;
    });
    return columnSums(rows);
  }

  override state(): unknown {
    return this.#cosines;
  }

  override restore(state: unknown): void {
    this.#cosines = state as Record<string, number[][]>;
  }
}

function gramOver(vectors: readonly Float32Array[], spans: Part['spans']): number[][] {
  const gram = vectors.map(() => vectors.map(() => 0));
  for (const [start, end] of spans)
    vectors.forEach((a, i) => {
      for (let j = i; j < vectors.length; j++) {
        let sum = 0;
        for (let n = start; n < end; n++) sum += a[n] * vectors[j][n];
        gram[i][j] += sum;
        if (i !== j) gram[j][i] += sum;
      }
    });
  return gram;
}
