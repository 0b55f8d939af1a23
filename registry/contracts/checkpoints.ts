// What a component declares about public checkpoints that fit it, so that weights can be imported, checked, and
// exported under the names that others use. Our names follow the reference's files; the table lists only the
// differences.

export interface CheckpointFormat {
  /** Whose files these are, for people. */
  readonly title: string;
  /** Where to download one. */
  readonly example: string;
  /** The component as which such files are imported, if it is another one whose weights this one starts from. */
  readonly of?: string;
  /**
   * Tensors that such files have in one: what the pattern finds in the name becomes each of the parts' names in turn,
   * and the first axis is split into as many equal parts. Before anything is renamed.
   */
  readonly splits?: readonly (readonly [pattern: RegExp, parts: readonly string[]])[];
  /**
   * The other way round, after that: tensors whose names differ in each of the parts alone become one, joined along the
   * first axis, with `whole` in the place of the part. Where a part is not in the file, the others stay as they are.
   */
  readonly joins?: readonly (readonly [parts: readonly string[], whole: string])[];
  /**
   * From a name in the file to the parameter's name below the component; each rule is applied, in this order, to
   * what the one before it left.
   */
  readonly renames: readonly (readonly [pattern: RegExp, replacement: string])[];
  /** Tensors of such files that have no counterpart in the component, and why. Applied to renamed names. */
  readonly skips: readonly (readonly [pattern: RegExp, reason: string])[];
  /** Parameters that such files may lack, by name below the component, and why: they are drawn from the seed. */
  readonly fresh?: readonly (readonly [pattern: RegExp, reason: string])[];
  /**
   * The component's options, read from the shapes of the file's tensors (by renamed name).
   * @param settings the `config.json` beside the file, empty if there is none
   * @throws MtcpError `weights` if the file lacks what tells, or if neither shapes nor settings do
   */
  infer(
    shapes: ReadonlyMap<string, readonly number[]>,
    settings: Readonly<Record<string, unknown>>,
  ): Record<string, unknown>;
  /**
   * Options of `infer` that no shape tells: a network with another value takes the same tensors and computes
   * something else. They are compared with the model's before a file is loaded.
   */
  readonly untold?: readonly string[];
  /** What the model is called among its relatives, for example "Swin-S"; undefined if it is none of them. */
  variant(options: Record<string, unknown>): string | undefined;
  /** The `config.json` with which the reference reads an exported file. */
  settings(options: Record<string, unknown>): Record<string, unknown>;
}

type Rules = readonly (readonly [pattern: RegExp, replacement: string])[];

/**
 * What the authors of a whole network call its tensors. The network itself is composed in an experiment; the table only
 * says which of its parameters is which of theirs.
 */
export interface AuthorsFormat {
  /** As in the tables, for example "MTI-Net". */
  readonly name: string;
  /** Where the code is that writes such files, and the commit that the table was read from. */
  readonly source: string;
  /** A name that files of this network have and others do not. */
  readonly sign: RegExp;
  readonly splits?: CheckpointFormat['splits'];
  /**
   * Rules to our names, applied one after the other. What they make of a backbone's tensors goes through the rules of
   * the backbone's own format afterwards.
   * @param names of all tensors of the file
   */
  renames(names: readonly string[]): Rules;
  /** Tensors that their networks have and never use, or do not need for predicting; by their names or renamed. */
  readonly skips: CheckpointFormat['skips'];
}
