// Parameter groups: parameters with their own learning rate or weight decay. The optimizer works on chunks of one
// long vector. In it, parameters are ordered by group, and each group starts a new chunk.
import type { Optimizer, ParameterGroup } from '../../registry/contracts/learning.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import { matches } from '../support/pattern.js';

export interface GroupedParameters {
  group: ParameterGroup | undefined;
  names: string[];
}

/** Names by group, those of no group first; within a group the order stays. Throws for a group of nothing. */
export function groupParameters(names: readonly string[], { groups = [] }: Optimizer): GroupedParameters[] {
  const rest: GroupedParameters = { group: undefined, names: [] };
  const grouped: GroupedParameters[] = groups.map((group) => ({ group, names: [] }));
  for (const name of names) {
    const own = grouped.find(({ group }) => matches(group!.parameters, name)) ?? rest;
    own.names.push(name);
  }
  const empty = grouped.find((own) => own.names.length === 0)?.group;
  if (empty)
    throw new MtcpError('config', `optimizer.groups: no parameter is called "${empty.parameters}"`, {
      hint: names.some((name) => matches(empty.parameters, name))
        ? 'an earlier group takes them all'
        : nearestPattern(empty.parameters, names),
    });
  return [rest, ...grouped].filter((own) => own.names.length > 0);
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
