// Trackers show runs elsewhere, for example on a server or in a chat. A tracker only reads: everything that it shows
// is in the run folders first, and a tracker that fails does not change a run.

export interface Tracker {
  /**
   * Starts to follow an invocation of an experiment. Returns at once; the work is done in the background.
   * @throws MtcpError if the options cannot work, before anything is trained
   */
  follow(run: TrackedRun): RunTracker;
}

export interface TrackedRun {
  experiment: string;
  title: string;
  description?: string;
  /** The experiment file. */
  file: string;
  profile: string | null;
  /** Folder of all runs, and in it the folder of the experiment with the folders of its trials. */
  runs: string;
  folder: string;
  /** Shows a message to the user, for example the address of the run. */
  report(message: TrackerMessage): void;
}

export interface TrackerMessage {
  tracker: string;
  /** Where the run can be seen. */
  url: string | null;
  message: string;
}

export interface RunTracker {
  /**
   * A trial of the invocation starts or continues. From now on its folder changes.
   * @param elsewhere it is trained on another machine than this one
   */
  trial(folder: string, elsewhere?: boolean): void;
  /**
   * The invocation is over and its report is written. Resolves when the tracker has shown it or has given up.
   * @param leave gives up at once when it is aborted
   */
  end(outcome: InvocationOutcome, leave?: AbortSignal): Promise<void>;
}

export type InvocationOutcome = 'finished' | 'failed' | 'interrupted';
