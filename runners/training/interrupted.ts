/** Thrown when work stopped on request: a trial after it has written a checkpoint, preparation with nothing half made. */
export class Interrupted extends Error {}
