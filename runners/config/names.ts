// The rule for names that become folders. schemas/experiment.schema.json has the same pattern, so that a bad name is
// reported at its position in the file. Names from elsewhere (a program, a record of jobs) are checked with this.
export const EXPERIMENT_NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;

export const NAME_RULE =
  'at most 100 lower-case letters, digits, ".", "_" and "-", first a letter or a digit: it names the folder of the runs';
