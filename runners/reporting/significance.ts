// Stars of significance: whether a row differs from another by more than seeds do.
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { scoreOf, type MeasuredRow } from './measure.js';
import { pairedDifference } from './statistics.js';

/** Stars of a row's number, and what a reader has to know about them. */
export interface Significance {
  stars(row: MeasuredRow, key: string): number;
  note: string;
}

/**
 * @param levels p values; below the largest a number has one star
 * @param against a row's name; the first if absent
 * @throws MtcpError `usage` if there is no such row, or none that shares two seeds with it
 */
export function significanceOf(
  measured: readonly MeasuredRow[],
  levels: readonly number[],
  against: string | undefined,
): Significance {
  const reference = against === undefined ? measured[0] : measured.find(({ name }) => name === against);
  if (!reference)
    throw new MtcpError('usage', `the table has no row "${against}"`, {
      where: 'report.latex.against',
      hint: didYouMean(
        against!,
        measured.map(({ name }) => name),
      ),
    });
  const seedsOf = ({ done }: MeasuredRow) => new Set(done.map(({ seed }) => seed));
  const own = seedsOf(reference);
  const others = measured.filter(({ name }) => name !== reference.name);
  if (!others.some((row) => [...seedsOf(row)].filter((seed) => own.has(seed)).length > 1))
    throw new MtcpError('usage', `no row shares two seeds with "${reference.name}"`, {
      where: 'report.latex.significance',
      hint: 'train with several seeds, such as --seeds 0,1,2',
    });
  const sorted = [...levels].sort((a, b) => b - a);
  return {
    stars(row, key) {
      // Under other conditions rows differ for other reasons.
      if (row === reference || row.group !== reference.group) return 0;
      const [ours, theirs] = [scoreOf(row.done, key)?.bySeed, scoreOf(reference.done, key)?.bySeed];
      const seeds = [...(ours?.keys() ?? [])].filter((seed) => theirs?.has(seed));
      if (seeds.length < 2) return 0;
      const { p } = pairedDifference(
        seeds.map((seed) => ours!.get(seed)!),
        seeds.map((seed) => theirs!.get(seed)!),
      );
      return p === undefined ? 0 : sorted.filter((level) => p < level).length;
    },
    note: `${sorted.map((level, i) => `${'*'.repeat(i + 1)} p < ${level}`).join(', ')} against ${reference.name}, by the two-sided paired t-test over seeds, not corrected for the number of comparisons.`,
  };
}
