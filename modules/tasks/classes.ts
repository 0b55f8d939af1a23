// One of several classes at every pixel: semantic segmentation, human parts.
// In memory a byte, 0 to channels - 1, IGNORE where nothing is known.
import { component, IGNORE, type Task, type TaskKind } from '../../registry/index.js';
import { classColour, css } from './machinery/colours.js';
import { divergence, sameLabel } from './machinery/likelihood.js';

@component({
  kind: 'task',
  name: 'classes',
  summary: 'One of several classes at every pixel; a byte, 255 where nothing is known.',
  file: import.meta.url,
})
export class Classes implements TaskKind {
  readonly meaning = 'class index of each pixel';
  readonly batch = 'indices';
  readonly labelChannels = () => 1;
  readonly smooth = false;
  readonly outside = IGNORE;
  readonly decode: TaskKind['decode'] = (raw) => raw.argMax(3);
  readonly resampling = 'nearest';
  readonly sixteen = { values: 'class index', of: (value: number) => value };
  readonly likeness = sameLabel;
  readonly distance = divergence;
  readonly usual = {
    head: { type: 'linear' },
    loss: { type: 'cross_entropy' },
    metric: { type: 'miou' },
  };
  readonly regions = { type: 'cross_entropy' };

  readonly colour: TaskKind['colour'] = (data, at) => classColour(data[at]);

  /** Only classes that occur. */
  readonly legend: TaskKind['legend'] = (task, maps) => {
    const found = new Set<number>();
    for (const { data } of maps) for (const value of data) if (value !== IGNORE) found.add(value);
    return {
      kind: 'swatches',
      entries: [...found]
        .sort((a, b) => a - b)
        .map((index) => ({ name: task.classes?.[index] ?? String(index), colour: css(classColour(index)) })),
    };
  };

  /** The most frequent class. */
  tally(_task: Task) {
    const counts = new Float64Array(IGNORE);
    let pixels = 0;
    return {
      add({ data }: { data: ArrayLike<number> }) {
        for (let i = 0; i < data.length; i++) {
          if (data[i] === IGNORE) continue;
          pixels++;
          counts[data[i]]++;
        }
      },
      constant: () => (pixels === 0 ? null : [counts.indexOf(Math.max(...counts))]),
    };
  }
}
