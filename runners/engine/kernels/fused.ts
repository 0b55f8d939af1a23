// Operations of modules/nn/ops that onnxruntime has in one piece.
import { float, int } from '../graph/ir.js';
import { kernel } from './register.js';

kernel('mtcp.LayerNorm', (build, { x, gamma, beta }, { epsilon }) => {
  const statistics = { dtype: 'float32', shape: [...x.shape.slice(0, -1), 1] } as const;
  const attributes = { axis: int(-1), epsilon: float(epsilon) };
  const outputs = [{ dtype: 'float32', shape: x.shape } as const, statistics, statistics];
  return build.graph.emit('LayerNormalization', [x, gamma, beta], attributes, outputs);
});

kernel('mtcp.Gelu', (build, { x }) => build.op('Gelu', [x], x.shape));
kernel('mtcp.Relu', (build, { x }) => build.op('Relu', [x], x.shape));
kernel('mtcp.Detach', (_, { x }) => x);
