// Plots of a search: the best score so far, the points in parallel coordinates, and what the score depends on.
import type { TopLevelSpec } from 'vega-lite';
import type { Plot } from '../../drawing/draw.js';
import { formatNumber } from '../numbers.js';
import { importances, ranked, type SearchResult, type SearchTrial } from '../search.js';

/** Plots of a search that has scores; none before. */
export function searchPlots(result: SearchResult): Plot[] {
  const scored = ranked(result);
  if (scored.length < 2) return [];
  const plots = [bestSoFar(result, scored), parallelCoordinates(result, scored)];
  const bars = importances(result);
  if (bars.length > 0)
    plots.push({
      name: 'search-importance',
      title: 'What the score depends on: rank correlation with each parameter',
      spec: {
        data: { values: bars },
        width: 320,
        height: { step: 24 },
        mark: 'bar',
        encoding: {
          y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 260 } },
          x: {
            field: 'value',
            type: 'quantitative',
            title: 'absolute rank correlation',
            scale: { domain: [0, 1] },
          },
        },
      } as unknown as TopLevelSpec,
    });
  return plots;
}

function bestSoFar({ objective, better }: SearchResult, scored: readonly SearchTrial[]): Plot {
  const inOrder = [...scored].sort((a, b) => a.index - b.index);
  let best: number | undefined;
  const values = inOrder.map(({ index, row, score, halved }) => {
    const whole = !halved;
    const isBetter = best === undefined || (better === 'higher' ? score! > best : score! < best);
    if (whole && isBetter) best = score;
    return { index, row, score, best: best ?? null, training: whole ? 'whole' : 'ended early' };
  });
  return {
    name: 'search-progress',
    title: 'Best score so far',
    spec: {
      data: { values },
      width: 460,
      height: 240,
      layer: [
        {
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
          encoding: {
            x: {
              field: 'index',
              type: 'quantitative',
              title: 'trial',
              axis: { tickMinStep: 1, format: 'd' },
            },
            y: { field: 'best', type: 'quantitative', title: objective, scale: { zero: false } },
          },
        },
        {
          mark: { type: 'point', filled: true, size: 45, opacity: 1 },
          encoding: {
            x: { field: 'index', type: 'quantitative' },
            y: { field: 'score', type: 'quantitative', scale: { zero: false } },
            color: {
              field: 'training',
              type: 'nominal',
              title: null,
              scale: { domain: ['whole', 'ended early'], range: ['#0072b2', '#999999'] },
              legend: values.every(({ training }) => training === 'whole') ? null : {},
            },
          },
        },
      ],
    } as unknown as TopLevelSpec,
  };
}

/** An axis of the plot: where a value stands on it, from 0 to 1, and the texts beside it. */
interface Axis {
  readonly title: string;
  at(trial: SearchTrial): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

function axesOf({ over, objective, better }: SearchResult, scored: readonly SearchTrial[]): Axis[] {
  const scores = scored.map(({ score }) => score!);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const [worst, best] = better === 'higher' ? [low, high] : [high, low];
  const parameters = over.map((parameter): Axis => {
    const value = ({ point }: SearchTrial) => point![parameter.path];
    if (parameter.kind === 'choice') {
      const labels = parameter.choices.map(({ label }) => label);
      const at = (label: string) => (labels.length === 1 ? 0.5 : labels.indexOf(label) / (labels.length - 1));
      const ticks = labels.map((label) => ({ at: at(label), text: label }));
      return { title: parameter.name, at: (trial) => at(String(value(trial))), ticks };
    }
    const scale = parameter.log ? Math.log : (x: number) => x;
    const [from, to] = [scale(parameter.from), scale(parameter.to)];
    return {
      title: `${parameter.name}${parameter.log ? ' (log)' : ''}`,
      at: (trial) => (scale(Number(value(trial))) - from) / (to - from),
      ticks: [
        { at: 0, text: String(parameter.from) },
        { at: 1, text: String(parameter.to) },
      ],
    };
  });
  return [
    ...parameters,
    {
      title: objective,
      at: ({ score }) => (best === worst ? 0.5 : (score! - worst) / (best - worst)),
      ticks: [
        { at: 0, text: formatNumber(worst) },
        { at: 1, text: formatNumber(best) },
      ],
    },
  ];
}

function parallelCoordinates(result: SearchResult, all: readonly SearchTrial[]): Plot {
  const scored = all.filter(({ point }) => point);
  const axes = axesOf(result, scored);
  const score = axes.at(-1)!;
  const titles = axes.map(({ title }) => title);
  const values = scored.flatMap((trial) =>
    axes.map((axis) => ({ row: trial.row, axis: axis.title, at: axis.at(trial), score: score.at(trial) })),
  );
  const ticks = axes.flatMap(({ title, ticks }) => ticks.map((tick) => ({ axis: title, ...tick })));
  const x = {
    field: 'axis',
    type: 'nominal',
    sort: titles,
    title: null,
    axis: { orient: 'top', labelAngle: 0, labelLimit: 150, domain: false, ticks: false, labelPadding: 14 },
    scale: { type: 'point', padding: 0.3 },
  };
  const y = { field: 'at', type: 'quantitative', axis: null, scale: { domain: [0, 1] } };
  return {
    name: 'search-points',
    title: `Points of the search (${result.type}); darker is better`,
    spec: {
      width: Math.max(320, 150 * axes.length),
      height: 260,
      layer: [
        {
          data: { values: titles.map((axis) => ({ axis })) },
          mark: { type: 'rule', color: '#888888' },
          encoding: { x },
        },
        {
          data: { values },
          mark: { type: 'line', strokeWidth: 1.6, opacity: 0.8 },
          encoding: {
            x,
            y,
            detail: { field: 'row', type: 'nominal' },
            color: {
              field: 'score',
              type: 'quantitative',
              legend: null,
              scale: { domain: [0, 1], range: ['#d9c7a3', '#0072b2'] },
            },
          },
        },
        {
          data: { values: ticks },
          mark: { type: 'text', align: 'left', dx: 5, fontSize: 10.5, color: '#777777' },
          encoding: { x, y, text: { field: 'text' } },
        },
      ],
    } as unknown as TopLevelSpec,
  };
}
