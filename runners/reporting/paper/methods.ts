// The methods paragraphs of a paper, from the resolved configurations and the logs of the trials: everything that a reviewer
// asks for and nothing that was not so. Settings that rows share are said once; where rows differ each value names its
// rows. Numbers that only a run knows (images, parameters, machines) are of the trials that are done.
import { basename } from 'node:path';
import { MtcpError } from '../../../registry/errors.js';
import { WeightsSource } from '../../support/weights-source.js';
import { canonicalJson } from '../../config/trial.js';
import { inShort, type Experiment, type TrialConfig, type TrialSpec } from '../../config/index.js';
import { isPlainObject, isReadPath, type Slot } from '../../../registry/options.js';
import type { Kind } from '../../../registry/entry.js';
import { isOnce } from '../../model/views.js';
import { selectionNotes } from '../../model/selection.js';
import type { RowResult } from '../row-result.js';
import { duration } from '../numbers.js';
import { factsOf, type Facts } from './facts.js';
import { latexProse, listed, plainProse, type Paragraph, type Part } from './prose.js';
import { componentsIn, References, usedBeside, type Used } from './references.js';

export interface Methods {
  text: string;
  latex: string;
}

type Sentence = readonly Part[];

export function methodsOf(experiment: Experiment, rows: readonly RowResult[]): Methods {
  const writer = new Writer(experiment, rows);
  const paragraphs = [
    writer.data(),
    writer.networks(),
    writer.objective(),
    writer.training(),
    writer.evaluation(),
    writer.implementation(),
  ];
  return {
    text: plainProse(paragraphs, writer.references.entries),
    latex: latexProse(paragraphs),
  };
}

class Writer {
  readonly references = new References();
  /** One of each row: seeds of a row have one configuration. */
  readonly #rows: readonly TrialSpec[];
  readonly #facts: Facts;

  constructor(
    readonly experiment: Experiment,
    results: readonly RowResult[],
  ) {
    const trials = results.map(({ trial }) => trial);
    this.#rows = [...new Map(trials.map((trial) => [trial.row, trial])).values()];
    this.#facts = factsOf(results);
  }

  data(): Paragraph {
    return {
      title: 'Data',
      sentences: [
        ...this.#said(({ data }) => [
          'Networks are trained and evaluated on ',
          ...this.#component('dataset', data),
        ]),
        ...this.#facts.data.map((text) => [text]),
        ...this.#said(({ augment }) => [
          'Images pass through the transform pipeline ',
          ...this.#component('transform', augment),
        ]),
      ],
    };
  }

  networks(): Paragraph {
    const tasks = this.#tasks();
    const blocks = Object.keys(this.#rows[0].config.model) as (keyof TrialConfig['model'])[];
    return {
      title: 'Networks',
      sentences: [
        ...blocks.flatMap((kind) =>
          this.#said(({ model }) => {
            const slot = model[kind];
            return slot === null ? [] : [`The ${kind} is `, ...this.#component(kind, slot)];
          }),
        ),
        ...tasks.flatMap((task) =>
          this.#said(({ tasks: own }) =>
            own[task] ? [`The head of ${task} is `, ...this.#component('head', own[task].head)] : [],
          ),
        ),
        ...this.#said(({ weights }) => [initialOf(weights)]),
        ...this.#said(({ weights: { rows } }) => {
          const parts = Object.entries(rows).map(([part, row]) => `${part} from ${row}`);
          return parts.length === 0 ? [] : [`Parts start from the weights of other rows: ${listed(parts)}`];
        }),
        ...(this.#facts.sizes.size > 0
          ? [[`Sizes: ${[...this.#facts.sizes].map(([row, size]) => `${row} ${size}`).join('; ')}.`]]
          : []),
      ],
    };
  }

  objective(): Paragraph {
    const tasks = this.#tasks();
    return {
      title: 'Objective',
      sentences: [
        ...tasks.flatMap((task) =>
          this.#said(({ tasks: own }) =>
            own[task] ? [`The loss of ${task} is `, ...this.#component('loss', own[task].loss)] : [],
          ),
        ),
        ...this.#said(({ scheme, tasks: own }) =>
          Object.keys(own).length > 1
            ? ['Losses of tasks are combined by the scheme ', ...this.#component('scheme', scheme)]
            : ['The loss of the single task is the objective'],
        ),
        ...this.#said(({ auxiliary }) =>
          Object.values(auxiliary).length === 0
            ? []
            : [
                'Further terms are ',
                ...Object.values(auxiliary).flatMap(({ loss, weight, teacher }, i) => [
                  i > 0 ? ', ' : '',
                  ...this.#component('auxiliary', loss),
                  ` with weight ${weight}${teacher === null ? '' : ` and the teacher ${teacher}`}`,
                ]),
              ],
        ),
        ...this.#said(({ intermediate, model }) =>
          model.interaction === null && model.decoder === null
            ? []
            : [
                `Losses of intermediate predictions, where a network has them, count with weight ${intermediate.weight}, as the ${intermediate.reduce} over levels, ${intermediate.scheme ? 'weighted by the scheme' : 'outside of the scheme'}`,
              ],
        ),
      ],
    };
  }

  training(): Paragraph {
    return {
      title: 'Training',
      sentences: [
        ...this.#said(({ optimizer }) => [
          'The optimizer is ',
          ...this.#component('optimizer', optimizer, ['groups']),
          ...groupsOf(optimizer),
        ]),
        ...this.#said(({ schedule }) => [
          'The learning rate follows the schedule ',
          ...this.#component('schedule', schedule),
        ]),
        ...this.#said(({ train: { epochs, batch, accumulate } }) => [
          `Training takes ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} with batches of ${batch} ${batch === 1 ? 'image' : 'images'}${accumulate > 1 ? `, gradients accumulated over ${accumulate} batches` : ''}`,
        ]),
        ...this.#said(({ train: { clip } }) => [
          clip === null ? 'Gradients are not clipped' : `Gradients are clipped to a norm of ${clip}`,
        ]),
        ...this.#said(({ train: { ema } }) =>
          ema === null ? [] : [`A running mean of the weights with decay ${ema} is evaluated`],
        ),
        ...this.#said(({ engine }) => [precisionOf(engine)]),
        [seedsOf(this.#facts.seeds)],
      ],
    };
  }

  evaluation(): Paragraph {
    const tasks = this.#tasks();
    const baselines = Object.entries(this.experiment.report.delta_m ?? {});
    const beside = usedBeside(this.experiment);
    const cite = (name: string): Part => ({
      cite: beside.filter((used) => used.name === name).flatMap((used) => this.references.cite(used)),
    });
    const { search } = this.experiment;
    return {
      title: 'Evaluation',
      sentences: [
        ...tasks.flatMap((task) =>
          this.#said(({ tasks: own }) =>
            own[task] ? [`The metric of ${task} is `, ...this.#component('metric', own[task].metric)] : [],
          ),
        ),
        ...this.#said(({ evaluate: { mode, quantize } }) => [
          mode === 'sv'
            ? `Predictions are resized to the size of the labels (protocol sv)${quantize ? ' and rounded to 8 bits, as a saved picture would be' : ', without rounding'}`
            : 'Predictions are compared with labels on the padded canvas of the network, without resizing (protocol atrc)',
        ]),
        ...this.#said(({ evaluate }) =>
          isOnce(evaluate)
            ? ['Each image is predicted once, without test-time augmentation']
            : [
                `Predictions are averaged over ${evaluate.flip ? 'the image and its mirror image, and ' : ''}scales ${listed(evaluate.scales.map(String))}`,
              ],
        ),
        ...this.#said(({ evaluate: { patience, every } }) =>
          patience === null
            ? []
            : [
                `Training ends after ${patience} evaluations, one every ${every} epochs, without a better score`,
              ],
        ),
        ...selectionNotes(this.#rows).map((text) => [text]),
        ...(baselines.length > 0
          ? [
              [
                'Delta-m',
                cite('report/delta_m'),
                ` is the mean relative gain over the single-task rows ${listed(baselines.map(([task, row]) => `${row} (${task})`))}.`,
              ],
            ]
          : []),
        ...(search
          ? [
              [
                `Values were searched by ${search.spec.type}`,
                cite(`search/${search.spec.type}`),
                ` over ${listed(search.spec.over.map((each) => (each.kind === 'range' ? `${each.path} from ${each.from} to ${each.to}${each.log ? ' (logarithmic)' : ''}` : `${each.path} (${each.choices.map(({ label }) => label).join(', ')})`)))}, judged by ${search.spec.objective}${search.spec.trials === null ? '' : `, with a budget of ${search.spec.trials} trials`}${search.spec.hours === null ? '' : `, with a budget of ${search.spec.hours} hours`}.`,
              ],
            ]
          : []),
      ],
    };
  }

  implementation(): Paragraph {
    const { versions, machines, seconds, done, trials } = this.#facts;
    return {
      title: 'Implementation',
      sentences: [
        ...this.#said(({ engine }) => [
          'Networks are written in TensorFlow.js operations, recorded as graphs and run by the engine ',
          engine.type,
          { cite: this.references.cite({ name: `engine/${engine.type}` }) },
        ]),
        ...(versions.length > 0 ? [[`Software: ${listed(versions)}.`]] : []),
        machines.length > 0
          ? [`Hardware: ${listed(machines)}.`]
          : [
              'The logs of these trials do not say on which machine, and with which version of mtcp, they were trained.',
            ],
        ...(seconds
          ? [
              [
                `Training a row took ${seconds.least === seconds.most ? duration(seconds.least) : `${duration(seconds.least)} to ${duration(seconds.most)}`}.`,
              ],
            ]
          : []),
        ...(done < trials
          ? [
              [
                `${done} of ${trials} trials are done; images, sizes and machines are those of trials that are done.`,
              ],
            ]
          : []),
      ],
    };
  }

  /** A component by its name, its citation and all options that are set. @param without options that are said otherwise */
  #component(kind: Kind, slot: Slot, without: readonly string[] = []): Part[] {
    const [own, ...nested] = componentsIn(kind, slot);
    const cited = (used: Used): Part => ({ cite: this.references.cite(used) });
    const { properties = {} } = own.entry!.options;
    const options = Object.entries(slot)
      .filter(([name]) => name !== 'type' && !without.includes(name))
      // Where data lie changes nothing.
      .filter(([name]) => !Object.hasOwn(properties, name) || !isReadPath(properties[name]))
      .flatMap(([name, value]) => optionText(name, value));
    return [
      slot.type,
      cited(own),
      ...nested.flatMap((used) => [`, with ${used.name.replace('/', ' ')}`, cited(used)]),
      ...(options.length > 0 ? [` (${options.join('; ')})`] : []),
    ];
  }

  /** Values of a setting with the rows that have them, the most frequent first. */
  #grouped(of: (config: TrialConfig) => Sentence): { value: Sentence; rows: string[] }[] {
    const groups = new Map<string, { value: Sentence; rows: string[] }>();
    for (const { row, config } of this.#rows) {
      const value = of(config);
      const key = canonicalJson(value);
      const group = groups.get(key) ?? { value, rows: [] };
      group.rows.push(row);
      groups.set(key, group);
    }
    return [...groups.values()].sort((a, b) => b.rows.length - a.rows.length);
  }

  /** A sentence for each value of a setting; where rows differ each names its rows. What is empty is not said. */
  #said(of: (config: TrialConfig) => Sentence): Sentence[] {
    const groups = this.#grouped(of);
    const said = groups.filter(({ value }) => value.length > 0);
    return said.map(({ value, rows }) => [...value, groups.length === 1 ? '.' : ` (${this.#whose(rows)}).`]);
  }

  /** Most of the rows are named by those that are not among them. */
  #whose(rows: readonly string[]): string {
    const others = this.#rows.map(({ row }) => row).filter((row) => !rows.includes(row));
    return others.length > 0 && others.length < rows.length && rows.length > 2
      ? `all rows except ${listed(others)}`
      : listed(rows);
  }

  #tasks(): string[] {
    return [...new Set(this.#rows.flatMap(({ config }) => Object.keys(config.tasks)))];
  }
}

/** `rate 0.001`, `size 64x96`; parts of a nested map one by one. */
function optionText(name: string, value: unknown): string[] {
  const said = name.replaceAll('_', ' ');
  if (value === null || value === undefined) return [];
  if (typeof value === 'boolean') return [`${said}: ${value ? 'yes' : 'no'}`];
  if (typeof value === 'string') return [`${said} ${value.includes('/') ? basename(value) : value}`];
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    const flat = value.every((each) => !isPlainObject(each));
    if (flat)
      return [
        `${said} ${value.length === 2 && name === 'size' ? value.join('x') : value.map(String).join(', ')}`,
      ];
    // Components in a list are named after it.
    return value.every((each) => isPlainObject(each) && typeof each.type === 'string')
      ? value.flatMap((each: Slot) => optionText(`${name}: ${each.type}`, withoutType(each)))
      : [`${said} ${value.map(inShort).join(', ')}`];
  }
  if (isPlainObject(value)) {
    if (typeof value.type === 'string') return optionText(`${name} ${value.type}`, withoutType(value));
    return Object.entries(value).flatMap(([key, part]) => optionText(`${name} ${key}`, part));
  }
  return [`${said} ${String(value)}`];
}

const withoutType = ({ type: _type, ...options }: Record<string, unknown>): Record<string, unknown> =>
  options;

function initialOf({ backbone, digest }: TrialConfig['weights']): string {
  if (backbone === null) return 'Weights start at random';
  const about = [
    basename(backbone),
    ...(digest !== null && /^[0-9a-f]{64}$/.test(digest) ? [`SHA-256 ${digest.slice(0, 12)}`] : []),
    ...madeBy(backbone),
  ];
  return `The backbone starts from pretrained weights (${about.join(', ')}), all else at random`;
}

/** Where the file came from, as far as it says so itself. */
function madeBy(path: string): string[] {
  let file: WeightsSource | undefined;
  try {
    file = new WeightsSource(path);
    const { source, trial } = file.metadata;
    return [
      ...(source === undefined ? [] : [`imported from ${source}`]),
      ...(trial === undefined ? [] : [`trained by mtcp as trial ${trial.slice(0, 12)}`]),
    ];
  } catch (error) {
    // A report can be made where the weights are not.
    if (!MtcpError.is(error)) throw error;
    return [];
  } finally {
    file?.close();
  }
}

function groupsOf({ groups, rate }: Slot): Part[] {
  if (!Array.isArray(groups) || groups.length === 0) return [];
  const said = (groups as { parameters: string; rate?: number; weight_decay?: number }[]).map(
    ({ parameters, rate: factor, weight_decay: decay }) =>
      `${parameters}${factor === undefined ? '' : ` at ${factor === 0 ? 'rate 0: they are not trained' : `${factor} times the rate, ${Number((factor * Number(rate)).toPrecision(6))}`}`}${decay === undefined ? '' : `, weight decay ${decay}`}`,
  );
  return [`, with other values for parameters ${listed(said)}`];
}

function precisionOf(engine: TrialConfig['engine']): string {
  const precision = engine.type === 'xla' ? engine.precision : 'float32';
  const matrix =
    precision === 'float32' ? '' : ' in matrix products and convolutions, with weights in float32';
  return `All numbers are ${precision}${matrix}`;
}

const seedsOf = (seeds: readonly number[]): string =>
  seeds.length === 1
    ? `The random seed is ${seeds[0]}.`
    : `Each row is trained with the random seeds ${listed(seeds.map(String))}; numbers are means with sample standard deviations.`;
