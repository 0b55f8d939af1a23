// Where trials are trained: in the command's own process, or in jobs of a batch system that shares its folder of
// runs. mtcp does not schedule jobs itself: a launcher writes scripts, submits them, and asks the batch system for
// their state. The jobs decide among themselves which job trains which trial, through the folder of runs.

export type Launcher = LocalLauncher | BatchLauncher;

/** This command trains, perhaps with further processes on its machine. */
export interface LocalLauncher {
  /** Trials at once. */
  readonly jobs: number | 'auto';
  /** Processes that share each trial; 1 if left out. */
  readonly processes?: number;
}

export interface BatchLauncher {
  /** Name of the batch system, such as slurm. */
  readonly system: string;
  /** Nodes of a task, each with a process that shares its trials; 1 if left out. */
  readonly nodes?: number;
  /** How many tasks a job for so many trials has, and how many trials each of them trains, one after the other. */
  divide(trials: number): Promise<{ tasks: number; each: number }>;
  /** The script of a job, for people to read and for the system to run. */
  script(job: JobRequest): string;
  /**
   * Hands a script in; the job waits until all tasks of the jobs in `after` have ended, however they did.
   * @returns the number of the job
   * @throws MtcpError `usage` with the system's own words if it does not take the job
   */
  submit(script: string, after: readonly string[]): Promise<string>;
  /** The command that `submit` runs, for people. */
  submitCommand(script: string, after: readonly string[]): string;
  /**
   * What the system knows of jobs; those it has forgotten are left out.
   * @param user who submitted them
   * @throws MtcpError `io` if it does not answer
   */
  tasks(jobs: readonly string[], user: string): Promise<TaskState[]>;
  cancel(tasks: readonly TaskName[]): Promise<void>;
  /** The task that this process is part of, by its environment. */
  here(env: Readonly<Record<string, string | undefined>>): Here | undefined;
  /** Whether the owner of a lock with these tags is still alive; undefined if that is unknown. */
  lives(tags: Readonly<Record<string, string>>, here: Here | undefined): boolean | undefined;
}

export const isBatchLauncher = (launcher: Launcher): launcher is BatchLauncher => 'submit' in launcher;

/** What a job is to do. */
export interface JobRequest {
  /** Short, for the system's lists. */
  name: string;
  /** A few lines for readers of the script. */
  about: readonly string[];
  tasks: number;
  /** Where it runs. */
  cwd: string;
  /** Command that trains; the task's number and, if known, its time left are added as --task and --time-left. */
  command: readonly string[];
  /** The same without the program, for launchers that start it otherwise. */
  arguments: readonly string[];
  /**
   * Command that the further nodes of a task run, which ends when it is killed; and the same without the program. The
   * task's number and `.meeting.json` are added to the last word.
   */
  join: { command: readonly string[]; arguments: readonly string[] };
  /** Folder for the output of tasks, as JOB_TASK.log. */
  logs: string;
  /** Files that tasks write down their beginnings and ends in, less -TASK.jsonl. */
  records: string;
}

export interface TaskName {
  job: string;
  task: number;
}

export interface TaskState extends TaskName {
  phase: 'waiting' | 'running' | 'ended';
  /** The system's own word, such as NODE_FAIL. */
  word: string;
  /** Why it waits. */
  reason: string | null;
  node: string | null;
  /** Time left before its limit, as the system writes it. */
  left: string | null;
}

/** A task, seen from inside. */
export interface Here extends TaskName {
  /** What its locks say. */
  tags: Record<string, string>;
  /** Cores that belong to it; undefined if the system does not say. */
  cpus?: number;
}
