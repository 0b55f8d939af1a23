// The plots of the page. Marks of a plot know their row and what they show (drawing/hover.ts); the page's script hides them with
// their row, and shows their values on hovering and by the arrow keys.
import { withMarks, type Marks } from '../../drawing/hover.js';
import { xmlText } from '../../support/escape.js';
import { markup, trusted, type Markup } from './markup.js';

export interface DrawnPlot {
  title: string;
  svg: string;
  marks?: Marks;
}

export function plotMarkup(
  { title, svg, marks }: DrawnPlot,
  index: number,
  rowIndex: (row: string) => number,
): Markup {
  const drawn = ownIds(svg, index);
  const shown = marks ? withMarks(drawn, marks, rowIndex, xmlText) : drawn;
  const label = marks ? 'Plot; arrow keys move from point to point' : 'Plot';
  return markup`<h3>${title}</h3>
    <div class="plot scroll" role="group" tabindex="0" aria-label="${label}">
      <div role="img" aria-label="${title}">
        <div aria-hidden="true">${trusted(shown)}</div>
      </div>
    </div> `;
}

/** Several drawings in one page must not share the names of their clip paths. */
const ownIds = (svg: string, index: number): string =>
  svg.replace(/(id="|url\(#|href="#)/g, `$1plot${index}-`);
