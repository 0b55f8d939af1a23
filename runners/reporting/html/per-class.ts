// Metrics of single classes, `task.metric.class`: a table for each metric, classes down, rows of the experiment across.
import { Footnotes } from '../footnotes.js';
import { scoreOf, type MeasuredRow } from '../measure.js';
import { scoreCell } from '../measured-section.js';
import { decimalsFor } from '../numbers.js';
import type { Section } from '../sections.js';

const KEY = /^([^.]+\.[^.]+)\.(\D.*)$/;

export function perClass(measured: readonly MeasuredRow[]): Section[] {
  const found = new Map<string, string[]>();
  for (const key of new Set(
    measured.flatMap(({ done }) => done.flatMap(({ metrics }) => Object.keys(metrics))),
  )) {
    const match = KEY.exec(key);
    if (match) found.set(match[1], [...(found.get(match[1]) ?? []), match[2]]);
  }
  return [...found].map(([metric, classes]) => {
    const scores = measured.map(({ done }) => classes.map((name) => scoreOf(done, `${metric}.${name}`)));
    const used = measured
      .map((row, r) => ({ row, scores: scores[r] }))
      .filter((each) => each.scores.some(Boolean));
    const decimals = decimalsFor(scores.flat().flatMap((score) => score?.spread?.mean ?? []));
    const footnotes = new Footnotes();
    return {
      id: metric,
      title: metric.replace('.', ' '),
      columns: [{ title: 'class' }, ...used.map(({ row }) => ({ title: row.name, align: 'right' as const }))],
      rows: classes.map((name, c) => [
        name,
        ...used.map(({ scores: all }) => {
          const score = all[c];
          // Deviations of single classes are more than a table can show.
          const mean = score?.spread && { ...score, spread: { ...score.spread, deviation: undefined } };
          return score ? scoreCell(mean ?? score, metric.split('.')[1], decimals, footnotes) : '-';
        }),
      ]),
      notes: [],
      footnotes: footnotes.texts,
    };
  });
}
