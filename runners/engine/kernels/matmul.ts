// Matrix products.
import { kernel } from './register.js';

kernel('BatchMatMul', (build, { a, b }, { transposeA, transposeB }) =>
  build.matmul(a, b, { transA: transposeA, transB: transposeB }),
);
