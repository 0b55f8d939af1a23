// Parameter groups: parameters with their own learning rate or weight decay. The optimizer works on chunks of one
// long vector. In it, parameters are ordered by group, and each group starts a new chunk.
//
// A group with `layer_decay` stands for several: one for each block of the backbone, with a rate that falls from the last
// block to the first.
import type { Layers } from '../../registry/contracts/blocks.js';
import type { Optimizer, ParameterGroup } from '../../registry/contracts/learning.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { matches } from '../support/pattern.js';

export interface GroupedParameters {
  group: ParameterGroup | undefined;
  names: string[];
}

/** The parameters that an optimizer changes, and what groups have to know of the others. */
export interface TrainedParameters {
  shapes: ReadonlyMap<string, readonly number[]>;
  /** All parameters of the model in the order of their creation, which is that of the forward pass. */
  names: readonly string[];
  /** The blocks of its backbone. */
  layers?: Layers;
}

/**
 * Names by group, those of no group first; within a group the order stays.
 * @throws MtcpError `config` if a group names nothing, or needs to know of blocks that nobody tells
 */
export function groupParameters(
  {
    shapes,
    names,
    layers,
  }: Pick<TrainedParameters, 'names' | 'layers'> & { shapes: { has(name: string): boolean } },
  { groups = [] }: Pick<Optimizer, 'groups'>,
): GroupedParameters[] {
  const rest: GroupedParameters = { group: undefined, names: [] };
  const grouped: GroupedParameters[] = groups.map((group) => ({ group, names: [] }));
  const trained = names.filter((name) => shapes.has(name));
  for (const name of trained) {
    const own = grouped.find(({ group }) => matches(group!.parameters, name)) ?? rest;
    own.names.push(name);
  }
  // What is frozen may be named all the same.
  const frozen = names.filter((name) => !shapes.has(name));
  const empty = grouped.find(
    (own) => own.names.length === 0 && !frozen.some((name) => matches(own.group!.parameters, name)),
  )?.group;
  if (empty)
    throw new MtcpError('config', `optimizer.groups: no parameter is called "${empty.parameters}"`, {
      hint: trained.some((name) => matches(empty.parameters, name))
        ? 'an earlier group takes them all'
        : nearestPattern(empty.parameters, names),
    });
  return [rest, ...grouped.flatMap((own) => byBlock(own, names, layers))].filter(
    (own) => own.names.length > 0,
  );
}

/** A group with `layer_decay`, by block. */
function byBlock(
  own: GroupedParameters,
  names: readonly string[],
  layers: Layers | undefined,
): GroupedParameters[] {
  const decay = own.group?.layer_decay;
  if (decay === undefined) return [own];
  if (!layers)
    throw new MtcpError(
      'config',
      'optimizer.groups: layer_decay needs a backbone that says which parameters belong to which block',
      { hint: 'those with blocks of transformers or residual networks do' },
    );
  const distances = distancesToEnd(names, layers);
  const groups = new Map<number, GroupedParameters>();
  for (const name of own.names) {
    const distance = distances.get(name)!;
    const group = { ...own.group!, rate: (own.group!.rate ?? 1) * decay ** distance };
    if (!groups.has(distance)) groups.set(distance, { group, names: [] });
    groups.get(distance)!.names.push(name);
  }
  return [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
}

/**
 * How many blocks lie between a parameter and what follows the last block: 0 there, 1 in the last block, one more than there
 * are blocks in what comes before the first. What stands between two blocks counts to the later one (Bao et al. 2022).
 */
function distancesToEnd(names: readonly string[], { block, after }: Layers): Map<string, number> {
  const blockOf = (name: string) => block.exec(name)?.[0];
  const blocks = [...new Set(names.flatMap((name) => blockOf(name) ?? []))];
  const distances = new Map<string, number>();
  let next = -1;
  for (const name of names) {
    const own = blockOf(name);
    if (own !== undefined) next = blocks.indexOf(own);
    const isBefore = own === undefined && next === -1;
    const position = own !== undefined ? next : isBefore ? -1 : next + 1;
    distances.set(name, after?.test(name) ? 0 : blocks.length - position);
  }
  return distances;
}

/** Parts of the network that have the name with which the pattern ends, such as `encoder` of `backbone.encoder.*`. */
function nearestPattern(pattern: string, names: readonly string[]): string {
  const last = pattern.split('.').findLast((part) => !part.includes('*')) ?? pattern;
  const parts = new Set<string>();
  for (const name of names) {
    const words = name.split('.');
    words.forEach((word, i) => word === last && parts.add([...words.slice(0, i + 1), '*'].join('.')));
  }
  if (parts.size > 0)
    return `did you mean ${[...parts]
      .slice(0, MOST_PARTS)
      .map((part) => `"${part}"`)
      .join(' or ')}?`;
  return didYouMean(pattern, new Set(names.map((name) => `${name.split('.').slice(0, 2).join('.')}.*`)));
}

/** That are proposed. */
const MOST_PARTS = 4;
