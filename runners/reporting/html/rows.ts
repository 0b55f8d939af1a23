// The boxes that show and hide rows everywhere on the page: lines of tables, columns that are named after rows, curves,
// pictures and configurations. What belongs to a row has `data-of` (or `data-row` in plots) with its index.
import { COLOURS } from '../../drawing/theme.js';
import { markup, type Markup } from './markup.js';

export class PageRows {
  readonly #index: ReadonlyMap<string, number>;

  constructor(readonly names: readonly string[]) {
    this.#index = new Map(names.map((name, i) => [name, i]));
  }

  /** -1 for what is not a row. */
  readonly indexOf = (name: string): number => this.#index.get(name) ?? -1;

  /** For an element that belongs to a row, if it does. */
  readonly attribute = (name: string): Markup | false => {
    const index = this.indexOf(name);
    return index >= 0 && markup` data-of="${index}"`;
  };

  /** Without a script nothing could be hidden: it shows the boxes. */
  controls(): Markup | false {
    return (
      this.names.length > 1 &&
      markup`<details class="rows" hidden>
        <summary>Rows <span class="count" aria-live="polite"></span></summary>
        <fieldset>
          <legend>Rows that tables, curves and pictures show</legend>
          <div class="boxes">
            ${this.names.map(
              (name, i) =>
                markup`<label
                  ><input type="checkbox" name="shown" value="${i}" checked /><span
                    class="swatch"
                    style="background: ${COLOURS[i % COLOURS.length]}"
                  ></span
                  >${name}</label
                >`,
            )}
          </div>
          <button type="button" data-all="1">All</button> <button type="button" data-all="">None</button>
        </fieldset>
      </details>`
    );
  }
}
