// The table of a search: a line for each point, the best one first.
import { decimalsFor, formatNumber } from './numbers.js';
import { importances, ranked, type SearchResult, type SearchTrial } from './search.js';
import { right, type Section } from './sections.js';

/** Rows of a search that the table of measurements shows. */
const SHOWN = 5;

/** Rows that the other tables and plots leave out: all of a search but the best few. */
export function hiddenRows(result: SearchResult): ReadonlySet<string> {
  const order = ranked(result).filter(({ point }) => point);
  const best = order
    .filter(({ halved }) => !halved)
    .slice(0, SHOWN)
    .map(({ row }) => row);
  return new Set(
    result.trials.filter(({ point, row }) => point && !best.includes(row)).map(({ row }) => row),
  );
}

export function searchSection(result: SearchResult): Section {
  const { over, objective, better, trials, type } = result;
  const order = ranked(result);
  const rest = trials.filter((trial) => !order.includes(trial));
  const decimals = decimalsFor(order.map(({ score }) => score!));
  const best = order.find(({ halved }) => !halved);
  const cells = (trial: SearchTrial) => [
    trial.point ? String(trial.index) : 'as written',
    ...over.map(({ path }) => (trial.point ? String(trial.point[path]) : '')),
    trial.score === undefined
      ? ''
      : {
          text: formatNumber(trial.score, decimals),
          standing: trial === best ? ('best' as const) : undefined,
        },
    trial.epochs === undefined ? '' : String(trial.epochs),
    [...new Set(trial.states)].join(', '),
  ];
  const bars = importances(result);
  return {
    id: 'search',
    title: `Search (${type})`,
    columns: [
      { title: 'trial' },
      ...over.map(({ name }) => right(name)),
      right(`${objective} ${better === 'higher' ? '↑' : '↓'}`),
      right('epochs'),
      { title: 'state' },
    ],
    rows: [...order, ...rest].map(cells),
    notes: [
      `The best ${SHOWN} points are rows of the other tables. Scores are of the images that tables report, so the best score of a search is optimistic.`,
      ...(bars.length > 0
        ? [
            `Absolute rank correlation of the score with each parameter: ${bars.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}.`,
          ]
        : []),
    ],
  };
}
