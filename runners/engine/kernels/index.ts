// Importing this file registers every kernel of the recording backend.
import './banded.js';
import './convolution.js';
import './elementwise.js';
import './fused.js';
import './matmul.js';
import './reduce.js';
import './shape.js';
// The last: it refuses what the others have not registered.
import './refused.js';
