// Which parameters of a network training changes, and how: those that are frozen stay as they are, and those that are adapted
// get a low-rank update that trains in their place (LoRA, Hu et al. 2022).

export interface Adapter {
  readonly rank: number;
  /** Factor on the update. */
  readonly scale: number;
}

/** Asked with the dotted names of parameters and of buffers, such as BatchNorm's running statistics. */
export interface Adaptation {
  isFrozen(name: string): boolean;
  /** undefined: the parameter itself trains. */
  adapterOf(name: string): Adapter | undefined;
}

export const NO_ADAPTATION: Adaptation = { isFrozen: () => false, adapterOf: () => undefined };

/** Names of the two factors of an update: a [rank, in], b [out, rank]; it is scale * b a. */
export const adapterNames = (parameter: string) => ({ a: `${parameter}.lora_a`, b: `${parameter}.lora_b` });

const SUFFIXES = Object.values(adapterNames(''));

/** Whether a parameter is a factor of an update. */
export const isAdapter = (name: string): boolean => SUFFIXES.some((suffix) => name.endsWith(suffix));
