// Collects the faults of one pass. A fault that several rows or profiles show is reported once. It says where it is,
// which file brought that file in, and in which rows it occurs if not in all.
import { MtcpError, MtcpErrors } from '../../registry/errors.js';
import { FAULTS } from './budgets.js';
import { frame, where, type Mark, type SourceText } from './source-text.js';

export interface Fault {
  readonly mark: Mark;
  readonly message: string;
  readonly hint?: string;
  /** More about it, a few lines. */
  readonly note?: string;
}

export type ReportFault = (fault: Fault) => void;

/** A combination that was looked at; a profile is null where the experiment has none. */
export interface Combination {
  readonly row: string;
  readonly profile: string | null;
}

interface Sighting {
  fault: Fault;
  /** Found in a file by itself, whatever the row and profile. */
  anywhere: boolean;
  seen: Combination[];
}

export class Faults {
  readonly #sightings = new Map<SourceText, Map<string, Sighting>>();
  readonly #warnings = new Map<string, Fault>();

  #count = 0;
  #more = 0;

  /** @param byArgument whether an argument that is at fault in some rows can be kept to the others: --where-it-fits */
  constructor(private readonly options: { readonly byArgument: boolean } = { byArgument: true }) {}

  get any(): boolean {
    return this.#sightings.size > 0;
  }

  /** Whether there are so many that further ones are only counted: time to stop looking. */
  get full(): boolean {
    return this.#count >= FAULTS;
  }

  /** For what is allowed and most likely not meant. */
  readonly warn: ReportFault = (fault) => {
    this.#warnings.set(`${where(fault.mark)} ${fault.message}`, fault);
  };

  /** Warnings given so far, by position. */
  warnings(): MtcpError[] {
    return [...this.#warnings.values()]
      .sort((a, b) => a.mark.start - b.mark.start)
      .map((fault) => toError({ fault, anywhere: true, seen: [] }, []));
  }

  /** For faults that belong to a file or an argument as such. */
  readonly report: ReportFault = (fault) => {
    this.#sight(fault).anywhere = true;
  };

  /** For faults found while looking at one combination of row and profile. */
  reportIn(combination: Combination): ReportFault {
    return (fault) => {
      this.#sight(fault).seen.push(combination);
    };
  }

  /** @param looked every combination that was looked at; @param order sources in the order to report them */
  errors(looked: readonly Combination[], order: readonly SourceText[]): MtcpError[] {
    const rank = (source: SourceText) => (order.includes(source) ? order.indexOf(source) : order.length);
    const errors = [...this.#sightings.values()]
      .flatMap((sightings) => [...sightings.values()])
      .sort(
        ({ fault: { mark: a } }, { fault: { mark: b } }) =>
          rank(a.source) - rank(b.source) || a.start - b.start,
      )
      .map((sighting) => toError(sighting, looked, this.options.byArgument));
    if (this.#more === 0) return errors;
    const { kind, where } = errors[0];
    const rest = new MtcpError(kind, `there are more faults than these ${errors.length}`, { where });
    return [...errors, rest];
  }

  #sight(fault: Fault): Sighting {
    const { source, start } = fault.mark;
    const bySource = this.#sightings.get(source) ?? new Map<string, Sighting>();
    if (!this.full) this.#sightings.set(source, bySource);
    const key = `${start} ${fault.message}`;
    const sighting = bySource.get(key) ?? { fault, anywhere: false, seen: [] };
    if (bySource.has(key)) return sighting;
    if (this.full) this.#more++;
    else {
      bySource.set(key, sighting);
      this.#count++;
    }
    return sighting;
  }
}

/** One error as it is, several as one MtcpErrors. */
export function throwAll(errors: readonly MtcpError[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new MtcpErrors(errors[0].kind, errors);
}

function toError(
  { fault, anywhere, seen }: Sighting,
  looked: readonly Combination[],
  byArgument = true,
): MtcpError {
  const { mark, message, hint, note } = fault;
  const [section, name] = mark.path;
  const part = (of: 'row' | 'profile') =>
    section === `${of}s` && name !== undefined && seen.length === 0
      ? [name]
      : distinct(seen.map((combination) => combination[of]));
  const partial = (of: 'row' | 'profile') =>
    section === `${of}s` || (!anywhere && part(of).length < distinct(looked.map((each) => each[of])).length);
  const about = [
    frame(mark),
    note,
    ...chain(mark.source),
    ...variable(mark),
    ...(partial('row') ? [among('row', part('row'))] : []),
    ...(partial('profile') ? [among('profile', part('profile'))] : []),
  ].filter((line) => line !== undefined && line !== '');
  // An argument that other rows accept, and that is no slip of a name that this row has.
  const isSlip = hint?.startsWith('did you mean') ?? false;
  const fitsElsewhere =
    byArgument && mark.source.kind === 'argument' && seen.length > 0 && partial('row') && !isSlip;
  const hints = [...(hint ? [clip(hint)] : []), ...(fitsElsewhere ? [WHERE_IT_FITS] : [])];
  return new MtcpError(mark.source.hasLines ? 'config' : 'usage', clip(message), {
    where: where(mark),
    frame: about.length > 0 ? about.join('\n') : undefined,
    hint: hints.length > 0 ? hints.join('; ') : undefined,
  });
}

const WHERE_IT_FITS = 'to set it only in rows that have it, add --where-it-fits';

/** Names may be as long as files; messages are for reading. */
const LONGEST = 1000;

const clip = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST / 2)} ... ${text.slice(-LONGEST / 2)}` : text;

function chain(source: SourceText): string[] {
  const lines: string[] = [];
  let brought = source.kind === 'plugin' ? 'loaded' : 'extended';
  for (let at = source.extendedBy; at; at = at.source.extendedBy) {
    lines.push(`${brought} by ${where(at)}`);
    brought = 'extended';
  }
  return lines;
}

function variable({ filled, source, start }: Mark): string[] {
  if (!filled || (filled.mark.source === source && filled.mark.start === start)) return [];
  return [`${filled.name} was set in ${where(filled.mark)}`, ...chain(filled.mark.source)];
}

const SHOWN = 3;

function among(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, SHOWN).map((name) => `"${name}"`);
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return `in ${what}${names.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`;
}

function distinct(names: readonly (string | null)[]): string[] {
  return [...new Set(names)].filter((name) => name !== null);
}
