// Records what a training step computes before the update: losses, gradients and batch statistics from weights and a
// batch.
import * as tf from '../../../registry/tf.js';
import { inputName, Pass } from '../../../modules/nn/scope.js';
import { recomputedFrom } from '../../../registry/contracts/memory.js';
import type { CompileOptions, Tracer } from '../../engine/engine.js';
import type { Network } from '../../model/network.js';
import { objective, type Criterion } from '../../model/objective.js';
import { lossOutputs, NAMES, observedOutputs, stepInputs } from '../../model/step-inputs.js';
import type { StepShape } from '../../model/step-shape.js';
import { traceTaskGradients } from './trace-task-gradients.js';
import type { Traced } from './traced.js';

/** What the engine has to know of a network's memory policy. */
export const memoryOf = ({ memory }: Network): CompileOptions => ({
  recomputedFrom: recomputedFrom(memory.recompute),
});

/** Records losses, gradients and batch statistics of one step; fills `traced`. As one program, or as two. */
export function traceStages(
  tracer: Tracer,
  network: Network,
  criterion: Criterion,
  shape: StepShape,
  traced: Traced,
): [tf.NamedTensorMap, tf.NamedTensorMap] {
  return criterion.scheme.needs?.gradients
    ? traceTaskGradients(tracer, network, criterion, shape, traced)
    : [traceGradients(tracer, network, criterion, shape, traced), {}];
}

function traceGradients(
  tracer: Tracer,
  network: Network,
  criterion: Criterion,
  shape: StepShape,
  traced: Traced,
): tf.NamedTensorMap {
  const inputs = stepInputs(tracer, criterion, shape);
  const outputs: tf.NamedTensorMap = {};
  const momenta = new Map<string, number>();
  const forward = () => {
    const pass = new Pass(traced.table, tracer, true);
    const predictions = network.forward(pass.root, inputs.image);
    const result = objective(criterion, pass, predictions, inputs.labels, inputs.scheme);
    Object.assign(outputs, lossOutputs(criterion.tasks, result, pass), observedOutputs(pass, momenta));
    // What follows is the backward pass.
    tracer.label('');
    return result.total;
  };
  // The parameters are known when the forward pass has run, which is before TensorFlow.js looks at this list for the first
  // time after its length; until then it holds a stand-in.
  const parameters: tf.Tensor[] = [inputs.image];
  let names: string[] = [];
  const { grads } = tf.engine().gradients(
    () => {
      const total = forward();
      names = [...traced.table.parameters.keys()];
      const found = names.map((name) =>
        tracer.input(inputName.parameter(name), 'float32', traced.table.parameters.get(name)!.shape),
      );
      parameters.splice(0, 1, ...found);
      return total;
    },
    parameters,
    undefined,
    true,
  );
  traced.trained = names.filter((_, i) => grads[i] && !tracer.isZero(grads[i]));
  traced.momenta = momenta;
  names.forEach((name, i) => {
    if (traced.trained.includes(name)) outputs[NAMES.gradient(name)] = grads[i];
  });
  return outputs;
}

/** Records a forward pass in training mode; running statistics stay as they are. */
export function traceLosses(
  tracer: Tracer,
  network: Network,
  criterion: Criterion,
  shape: StepShape,
  { table }: Traced,
): tf.NamedTensorMap {
  const { image, labels, scheme } = stepInputs(tracer, criterion, shape);
  const pass = new Pass(table, tracer, true);
  const predictions = network.forward(pass.root, image);
  return lossOutputs(criterion.tasks, objective(criterion, pass, predictions, labels, scheme), pass);
}
