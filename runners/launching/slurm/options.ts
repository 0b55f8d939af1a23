// Options of the `launcher` section of type slurm. Options that are null are left to the cluster's defaults.
import { defineOptions } from '../../../registry/options.js';

const text = (description: string) =>
  ({ description, type: ['string', 'null'], minLength: 1, default: null }) as const;
const number = (description: string) =>
  ({
    description,
    anyOf: [{ type: 'integer', minimum: 1 }, { type: 'string', minLength: 1 }, { type: 'null' }],
    default: null,
  }) as const;
const lines = (description: string) =>
  ({ description, type: 'array', items: { type: 'string', minLength: 1 }, default: [] }) as const;

export const OPTIONS = defineOptions({
  partition: text('Partition (queue) of the jobs; several with commas.'),
  account: text('Account that is charged.'),
  qos: text('Quality of service.'),
  constraint: text('Features that nodes must have, such as "a100|h100".'),
  time: number(
    'Time limit of a task: minutes, H:MM:SS or D-HH. Need not be enough for a trial: the task saves a checkpoint before it ends and is queued again.',
  ),
  nodes: {
    description:
      'Nodes of a task. Each has one process, and these share the steps of a trial; the number divides train.accumulate.',
    type: 'integer',
    minimum: 1,
    default: 1,
  },
  cpus: {
    description:
      'Cores of a task, on each of its nodes; also threads of the engine, unless the experiment says how many.',
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
  },
  gpus: number('GPUs of a task, on each of its nodes, as a number or as type:number, such as a100:1.'),
  memory: number('Memory of a task, on each of its nodes: megabytes, or with a unit, such as 16G.'),
  parallel: {
    description: 'Most tasks of a job array that run at once.',
    type: ['integer', 'null'],
    minimum: 1,
    default: null,
  },
  trials: {
    description:
      'Trials that a task trains, one after the other; more where the cluster takes no array that large. Several short trials in one task spare the scheduler.',
    type: 'integer',
    minimum: 1,
    default: 1,
  },
  requeues: {
    description: 'How often a task that ran out of time, was preempted or lost its node is queued again.',
    type: 'integer',
    minimum: 0,
    default: 20,
  },
  warning: {
    description:
      'Seconds before the end of its time at which a task saves a checkpoint and stops: at least one step and one checkpoint long.',
    type: 'integer',
    minimum: 1,
    default: 120,
  },
  modules: lines('Environment modules to load, such as cuda/12.4.'),
  setup: lines('Lines of shell that run before training, such as "export MTCP_CACHE=/scratch/$USER".'),
  command: text(
    'What starts mtcp on a node, if not this Node.js and this mtcp by their paths: "apptainer exec --nv mtcp.sif mtcp".',
  ),
  sbatch: lines('Further options of sbatch, such as --exclusive or --mail-type=FAIL.'),
});
