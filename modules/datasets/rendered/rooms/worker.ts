// The script of a rendering thread: one scene a job, written where it belongs. Nothing but the job decides
// what comes out.
import { serve } from '../../../support/threads.js';
import { writeNyudSample } from '../../folders/nyud.js';
import type { SceneJob } from '../synthesis.js';
import { randomStream } from '../../../../registry/index.js';
import type { Intrinsics } from '../tracer/camera.js';
import { renderRoom } from './render.js';

serve<SceneJob, Intrinsics>(async ({ directory, id, seed, split, index, size: [height, width] }) => {
  const { camera, ...maps } = renderRoom(randomStream(seed, 'room', split, index), height, width);
  await writeNyudSample(directory, { id, height, width, ...maps });
  const { focal, cx, cy } = camera;
  return { result: { focal, cx, cy } };
});
