// Published checkpoints of whole networks: one table of names for each; see AuthorsFormat.
import type { AuthorsFormat } from '../../../registry/index.js';
import { invpt } from './invpt.js';
import { mtCp } from './mt-cp.js';
import { mtiNet, padNet } from './vandenhende.js';

export const AUTHORS: readonly AuthorsFormat[] = [mtCp, invpt, mtiNet, padNet];
