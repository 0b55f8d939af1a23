// The one class of errors that mtcp reports to users. `kind` tells programs what went wrong; `where` and `hint` tell
// people where to look and what to do. Any other exception is a bug.

export type ErrorKind =
  | 'usage' // a flag or an argument
  | 'config' // an experiment file
  | 'component' // a component that is unknown, badly declared or badly wired
  | 'data' // data sets, images, labels
  | 'weights' // checkpoints and imported weights
  | 'numeric' // NaN or infinity while training
  | 'engine' // recording or running a graph
  | 'io' // the file system
  | 'busy' // another process works on the same thing
  | 'tracker'; // a tracking server, or what is between here and it

/** Kinds that mean "what you gave is wrong": the command ends with exit code 2 before anything runs. */
const BAD_INPUT: ReadonlySet<ErrorKind> = new Set(['usage', 'config', 'component', 'data', 'weights']);

export interface ErrorDetails {
  /** file:line:col, a flag, a sample: what the reader opens first. */
  where?: string;
  /** A few lines of the file with a caret under the fault. */
  frame?: string;
  /** The nearest thing that would have worked. */
  hint?: string;
  /** Of a component: the option that the message is about, with dots into nested ones. */
  option?: string;
  cause?: unknown;
}

const BRAND = Symbol.for('mtcp.error');

export class MtcpError extends Error {
  readonly [BRAND] = true;
  readonly where?: string;
  readonly frame?: string;
  readonly hint?: string;
  readonly option?: string;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.name = 'MtcpError';
    this.where = details.where;
    this.frame = details.frame;
    this.hint = details.hint;
    this.option = details.option;
  }

  /** True for an MtcpError (of `kind`, if given), also across two copies of this module. */
  static is(error: unknown, kind?: ErrorKind): error is MtcpError {
    return (
      typeof error === 'object' &&
      error !== null &&
      BRAND in error &&
      (kind === undefined || (error as MtcpError).kind === kind)
    );
  }

  get exitCode(): number {
    return BAD_INPUT.has(this.kind) ? 2 : 1;
  }

  /** The error as a block of text: where, what, the lines of the file, the fix. */
  format(): string {
    const lines = [this.where ? `${this.where}: ${this.message}` : this.message];
    if (this.frame) lines.push(this.frame);
    if (this.hint) lines.push(this.hint);
    return lines.join('\n');
  }
}

/** What an event or a message to another process says of an error: the block of an MtcpError, the stack of a bug. */
export const messageOf = (error: unknown): string =>
  MtcpError.is(error) ? error.format() : String((error as Error).stack ?? error);

/** Several faults found in one pass (all errors of a file), reported together. */
export class MtcpErrors extends MtcpError {
  constructor(
    kind: ErrorKind,
    readonly errors: readonly MtcpError[],
  ) {
    super(kind, `${errors.length} problem${errors.length === 1 ? '' : 's'} found`);
  }

  override format(): string {
    return this.errors.map((error) => error.format()).join('\n\n');
  }
}
