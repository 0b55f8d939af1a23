// The script of a rendering thread: one scene a job, written where it belongs. Nothing but the job decides
// what comes out.
import { randomStream } from '../../../../registry/index.js';
import { writePascalSample } from '../../folders/pascal.js';
import type { SceneJob } from '../synthesis.js';
import { serve } from '../../../support/threads.js';
import { renderScene } from './scene.js';

/** The result is the class of each object, as the benchmark's lists of parts say it. */
serve<SceneJob, number[]>(async ({ directory, id, seed, split, index, size: [height, width] }) => {
  const sample = renderScene(randomStream(seed, 'scene', split, index), height, width);
  await writePascalSample(directory, { id, ...sample });
  return { result: sample.objects.map((object) => object.index) };
});
