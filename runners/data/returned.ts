// Checks what data sets and transforms return before it is stacked. A plugin may forget a label or the return
// statement, and an array that is too short would train on the memory behind it.
import type { DatasetInfo, LabelMap, MapData, Sample } from '../../registry/contracts/data.js';
import type { Task } from '../../registry/contracts/tasks.js';
import { kindOf } from '../../registry/kinds.js';
import { MtcpError } from '../../registry/errors.js';

/** @param who 'data set "x"' */
export function requireInfo(who: string, info: DatasetInfo): void {
  const { caption, digest, root } = info ?? {};
  if (![caption, digest, root].every((text) => typeof text === 'string') || !Array.isArray(info.notes))
    throw wrong(`prepare of ${who}`, 'no such thing', '{ caption, digest, notes, counts, root }');
}

export function requireIds(who: string, ids: readonly string[]): void {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw wrong(`ids of ${who}`, 'no list of names', 'a list of strings');
}

/**
 * The image of a sample, and a label for each task.
 * @param size what all must have, if it is known
 */
export function requireSample(
  who: string,
  id: string,
  sample: Sample,
  tasks: readonly Task[],
  size?: readonly [number, number],
): void {
  const wanted =
    '{ id, image, labels: { TASK } }, each map { height, width, channels, data } of that many numbers';
  if (typeof sample !== 'object' || sample === null) throw wrong(who, 'no sample', wanted, id);
  const given: [string, MapData | undefined, number][] = [
    ['image', sample.image, 3],
    ...tasks.map((task): [string, LabelMap | undefined, number] => [
      `label of ${task.name}`,
      sample.labels?.[task.name],
      kindOf(task).labelChannels(task),
    ]),
  ];
  for (const [what, map, channels] of given) {
    if (!map?.data) throw wrong(who, `no ${what}`, wanted, id);
    const shape = `${what}, ${map.height}x${map.width}x${map.channels}`;
    if (map.channels !== channels) throw wrong(who, shape, `${channels} channels`, id);
    if (map.data.length !== map.height * map.width * map.channels)
      throw wrong(who, `${shape}, with ${map.data.length} numbers`, wanted, id);
    if (size && (map.height !== size[0] || map.width !== size[1]))
      throw wrong(who, shape, `maps of its own size, ${size.join('x')}`, id);
  }
}

const wrong = (who: string, what: string, wanted: string, where?: string): MtcpError =>
  new MtcpError('component', `${who} returns ${what}`, {
    where: where === undefined ? undefined : `sample ${where}`,
    hint: `it must return ${wanted}`,
  });
