// mtcp images
import { InvalidArgumentError, type Command } from 'commander';
import { formatNumber } from '../../reporting/numbers.js';
import { textTable } from '../../reporting/table.js';
import { JSON_DOCUMENT } from '../flags.js';

export function declare(command: Command): void {
  command
    .description(
      'Shows the worst and the best validation images of a trial for each task, by the metrics in its images.json; failures.png in its folder shows some of them. With a second trial: which images it improves, which get worse, and whether the mean difference is more than chance (t-test for pairs of images).',
    )
    .argument('<trial>', 'folder of a trial, such as runs/table3/mt-cp-s0-1a2b3c4d')
    .argument('[other]', 'folder of a trial that is compared with the first')
    .option('--task <task>', 'only this task')
    .option('--show <n>', 'number of worst and of best images', wholeNumber, 5)
    .option(...JSON_DOCUMENT)
    .addHelpText(
      'after',
      `
Examples:
  mtcp images runs/table3/mt-cp-s0-1a2b3c4d
  mtcp images runs/table3/stl-depth-s0-5e6f7a8b runs/table3/mt-cp-s0-1a2b3c4d --task depth`,
    )
    .action(images);
}

interface Options {
  task?: string;
  show: number;
  json?: boolean;
}

async function images(folder: string, other: string | undefined, options: Options): Promise<void> {
  const app = await import('../../app/images.js');
  const scores = app.imagesOf(folder);
  if (other === undefined) {
    const ranked = app.rankedImages(scores, options.task);
    print(options, { epoch: scores.epoch, tasks: ranked }, () =>
      ranked
        .map(({ value, images: all }) =>
          section(
            `${value.task}, ${value.name} ${value.unit}: ${all.length} images, the worst first`,
            ['image', value.name],
            ends(all, options.show, ({ id, score }) => [id, formatNumber(score)]),
          ),
        )
        .join('\n'),
    );
    return;
  }
  const compared = app.compareImages(scores, app.imagesOf(other), options.task);
  print(options, { tasks: compared }, () =>
    compared
      .map(({ value, improved, worse, same, mean, p, changes }) =>
        section(
          `${value.task}, ${value.name} ${value.unit}: ${improved} images improved, ${worse} got worse, ${same} the same; mean gain ${formatNumber(mean)}${p === undefined ? '' : ` (p = ${p < 1e-3 ? '< 0.001' : p.toFixed(3)})`}`,
          ['image', 'first', 'second', 'gain'],
          ends(changes, options.show, ({ id, before, after, gain }) => [
            id,
            formatNumber(before),
            formatNumber(after),
            formatNumber(gain),
          ]),
        ),
      )
      .join('\n'),
  );
}

function print({ json }: Options, document: unknown, text: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : text());
}

const section = (title: string, columns: readonly string[], rows: string[][]): string =>
  `${title}\n${textTable(
    columns.map((name) => ({ title: name })),
    rows,
  )}\n`;

/** The first and the last rows, with a gap between them. */
function ends<T>(all: readonly T[], count: number, row: (item: T) => string[]): string[][] {
  if (all.length <= 2 * count) return all.map(row);
  const [first, last] = [all.slice(0, count).map(row), all.slice(-count).map(row)];
  return [...first, ['...', ...first[0].slice(1).map(() => '')], ...last];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('it must be a whole number from 1');
  return Number(text);
}
