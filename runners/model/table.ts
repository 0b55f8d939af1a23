// The parameters and buffers of a trial's model, found by recording it on shapes.
import { ParameterTable, Pass } from '../../modules/nn/scope.js';
import { record } from '../engine/recording.js';
import { measureTeachers } from './auxiliary.js';
import { objective } from './objective.js';
import { type Assembly } from './assemble.js';
import { stepInputs } from './step-inputs.js';

/** Every parameter and buffer of the model, those of intermediate predictions and of the scheme among them. */
export async function tableOf(
  { network, criterion }: Assembly,
  size: readonly [number, number],
): Promise<ParameterTable> {
  const table = new ParameterTable();
  const shape = { batch: 1, size };
  await measureTeachers(criterion.auxiliary, shape);
  await record((tracer) => {
    const { image, labels, scheme } = stepInputs(tracer, criterion, shape);
    const pass = new Pass(table, tracer, true);
    objective(criterion, pass, network.forward(pass.root, image), labels, scheme);
    return {};
  });
  return table;
}
