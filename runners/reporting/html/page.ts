// The report as one self-contained page: no network, no other files. Its content security policy allows only its own
// script, by its hash.
import { createHash } from 'node:crypto';
import type { Experiment } from '../../config/index.js';
import type { Checked } from '../expect.js';
import type { Section } from '../sections.js';
import { marksOf, standingOf, textOf, type Cell, type Column } from '../table.js';
import type { Legend } from '../../../registry/contracts/task-kind.js';
import { formatNumber } from '../numbers.js';
import { markup, trusted, type Markup } from './markup.js';
import { plotMarkup, type DrawnPlot } from './plots.js';
import { PageRows } from './rows.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** Pictures of predictions; sources are data URIs. */
export interface PredictionGallery {
  tasks: { name: string; legend: Legend }[];
  rows: string[];
  images: {
    id: string;
    source: string;
    /** Task to its label, and the prediction of each row that has the task. */
    tasks: Record<string, { label: string; predictions: Record<string, string> }>;
  }[];
  /** Rows without pictures, and why. */
  missing: string[];
}

export interface PageContent {
  experiment: Experiment;
  sections: readonly Section[];
  checked: readonly Checked[];
  /** Drawn for a page: see drawing/theme.ts. */
  plots: readonly DrawnPlot[];
  /** Names of the rows, in the order of the table: what can be hidden. */
  rows: readonly string[];
  perClass: readonly Section[];
  gallery: PredictionGallery | undefined;
  /** The worst and the best images of each row, as data URIs. */
  failures: readonly { row: string; source: string }[];
  /** Resolved configurations, as YAML. */
  configs: readonly { row: string; yaml: string }[];
  differences: Section | undefined;
}

export function page(content: PageContent): string {
  const { experiment, sections, checked, plots, perClass, gallery, failures, configs, differences } = content;
  const rows = new PageRows(content.rows);
  const parts: { id: string; title: string; body: Markup }[] = [
    ...sections.map(({ id, title, ...rest }) => ({ id, title, body: table({ id, title, ...rest }, rows) })),
    ...(checked.length > 0 ? [{ id: 'expected', title: 'Expected', body: expectations(checked, rows) }] : []),
    ...(plots.length > 0
      ? [
          {
            id: 'curves',
            title: 'Curves',
            body: markup`${plots.map((plot, i) => plotMarkup(plot, i, rows.indexOf))}`,
          },
        ]
      : []),
    ...(perClass.length > 0
      ? [
          {
            id: 'classes',
            title: 'Per class',
            body: markup`${perClass.map((each) => perClassTable(each, rows))}`,
          },
        ]
      : []),
    ...(gallery ? [{ id: 'predictions', title: 'Predictions', body: predictions(gallery, rows) }] : []),
    ...(failures.length > 0
      ? [
          {
            id: 'failures',
            title: 'Worst and best images',
            body: markup`${failures.map((each) => failureSheet(each, rows))}`,
          },
        ]
      : []),
    { id: 'configurations', title: 'Configurations', body: configurations(configs, differences, rows) },
  ];
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const { title, description, profile, name } = experiment;
  return `<!doctype html>\n${markup`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta http-equiv="Content-Security-Policy" content="${policy}" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="generator" content="mtcp" />
      <title>${title}</title>
      <style>${trusted(STYLE)}</style>
    </head>
    <body>
      <header>
        <h1>${title}</h1>
        <p class="about">
          ${description ?? `Experiment ${name}`}${profile !== null && markup`, profile ${profile}`}
        </p>
        <nav aria-label="Contents">
          ${parts.map(({ id, title: name }, i) => markup`<a href="#${id}">${heading(name, i)}</a> `)}
        </nav>
      </header>
      ${rows.controls()}
      <main>
        ${parts.map(
          ({ id, title: name, body }, i) =>
            markup`<section id="${id}" aria-labelledby="${id}-title">
              <h2 id="${id}-title">${heading(name, i)}</h2>
              ${body}
            </section> `,
        )}
      </main>
      <div id="about" role="status" hidden></div>
      <script>${trusted(SCRIPT)}</script>
    </body>
  </html>`}\n`;
}

/** The first table has the experiment's title, as the page does. */
const heading = (title: string, place: number): string => (place === 0 ? 'Results' : title);

function table({ title, columns, rows, notes, footnotes = [] }: Section, known: PageRows): Markup {
  const align = ({ align: side }: Column) => (side === 'right' ? 'right' : 'left');
  return markup`<div class="scroll" role="group" tabindex="0" aria-label="${title}">
      <table class="sortable">
        <thead>
          <tr>
            ${columns.map((column) => markup`<th scope="col" class="${align(column)}"${known.attribute(column.title)}>${column.title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              markup`<tr${known.attribute(textOf(row[0]))}>
                ${row.map((cell, c) => markup`<td class="${align(columns[c])}" data-value="${sortValue(cell)}"${known.attribute(columns[c].title)}>${shown(cell)}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${
      footnotes.length > 0 &&
      markup`<ol class="notes">
        ${footnotes.map((note) => markup`<li>${note}</li>`)}
      </ol>`
    }
    ${
      notes.length > 0 &&
      markup`<ul class="notes">
        ${notes.map((note) => markup`<li>${note}</li>`)}
      </ul>`
    }`;
}

function shown(cell: Cell): Markup {
  const text =
    standingOf(cell) === 'best'
      ? markup`<strong title="best of the column">${textOf(cell)}</strong>`
      : markup`${textOf(cell)}`;
  const marks = marksOf(cell);
  return marks.length > 0 ? markup`${text}<sup>${marks.join(', ')}</sup>` : text;
}

const UNITS: Record<string, number> = { s: 1, min: 60, h: 3600, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** What a table is sorted by: the leading number in its unit, or the text; nothing for an empty cell. */
export function sortValue(cell: Cell): string {
  const text = textOf(cell).replaceAll(',', '');
  if (text === '-' || text === '') return '';
  const match = /^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: (min|[shkMGT])B?(?: (\d+) s)?)?(?=$|[\s(])/.exec(
    text,
  );
  if (!match) return text;
  return String(Number(match[1]) * (UNITS[match[2]] ?? 1) + Number(match[3] ?? 0));
}

const expectations = (checked: readonly Checked[], known: PageRows): Markup =>
  table(
    {
      id: 'expected',
      title: 'Expected',
      columns: [
        { title: 'row' },
        { title: 'number' },
        { title: 'expected' },
        { title: 'actual', align: 'right' },
        { title: 'verdict' },
      ],
      rows: checked.map(({ row, number, expected, actual, absent, holds }) => [
        row,
        number,
        expected,
        actual === undefined ? '-' : formatNumber(actual),
        holds
          ? 'holds'
          : actual === undefined
            ? absent === undefined
              ? 'not measured'
              : `undefined: ${absent}`
            : 'does not hold',
      ]),
      notes: [],
    },
    known,
  );

const perClassTable = (section: Section, known: PageRows): Markup =>
  markup`<h3>${section.title}</h3>
    ${table(section, known)}`;

function legend({ name, legend: meaning }: PredictionGallery['tasks'][number]): Markup {
  const body =
    meaning.kind === 'scale'
      ? markup`<span
          >${meaning.low}<span
            class="bar"
            style="background: linear-gradient(to right, ${meaning.colours.join(', ')})"
          ></span
          >${meaning.high}</span
        >`
      : markup`${meaning.entries.map(
          (entry) =>
            markup`<span><span class="swatch" style="background: ${entry.colour}"></span>${entry.name}</span>`,
        )}`;
  return markup`<div class="legend"><b>${name}</b>${body}</div>`;
}

function predictions({ tasks, rows, images, missing }: PredictionGallery, known: PageRows): Markup {
  const notes = missing.map((note) => markup`<p class="notes">${note}</p>`);
  if (images.length === 0) return markup`${notes}`;
  return markup`<div class="controls">
      <label
        >Row
        <select name="row">
          ${rows.map((row, r) => markup`<option value="${r}"${known.attribute(row)}>${row}</option>`)}
        </select></label
      >
      <label
        >Image <input type="range" name="image" min="1" max="${images.length}" value="1" step="1"
      /></label>
      <label
        >Label <input type="range" name="reveal" min="0" max="100" value="50" /> Prediction (left of the
        line)</label
      >
    </div>
    ${images.map(
      ({ id, source, tasks: pictures }, i) =>
        markup`<div class="figure" data-image="${i + 1}">
          <figure>
            <img src="${source}" alt="image ${id}" />
            <figcaption>${id}</figcaption>
          </figure>
          ${tasks
            .filter(({ name }) => Object.hasOwn(pictures, name))
            .map(
              ({ name }) =>
                markup`<figure>
                  <div class="stack">
                    <img src="${pictures[name].label}" alt="${name}, label" />${rows.map(
                      (row, r) =>
                        Object.hasOwn(pictures[name].predictions, row) &&
                        markup`<img
                          src="${pictures[name].predictions[row]}"
                          alt="${name}, prediction of ${row}"
                          data-row="${r}"
                        />`,
                    )}
                    <span class="side left">prediction</span><span class="side right">label</span>
                    <div class="none" hidden>this row has no ${name}</div>
                  </div>
                  <figcaption>${name}</figcaption>
                </figure>`,
            )}
        </div> `,
    )}
    ${tasks.map(legend)} ${notes}`;
}

const failureSheet = ({ row, source }: PageContent['failures'][number], known: PageRows): Markup =>
  markup`<details${known.attribute(row)}>
    <summary>${row}</summary>
    <img src="${source}" alt="worst and best images of ${row}: image, label, prediction, error" />
  </details>`;

function configurations(
  configs: PageContent['configs'],
  differences: Section | undefined,
  known: PageRows,
): Markup {
  return markup`${
    differences &&
    markup`<h3>${differences.title}</h3>
        ${table(differences, known)}`
  }
    <h3>Resolved</h3>
    ${configs.map(
      ({ row, yaml }) =>
        markup`<details${known.attribute(row)}>
          <summary>${row}</summary>
          <pre>${yaml}</pre>
        </details> `,
    )}`;
}
