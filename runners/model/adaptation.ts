// What a trial's `train.freeze` and `train.lora` say, as the network's scopes ask for it.
import { isAdapter, NO_ADAPTATION, type Adaptation } from '../../registry/contracts/adaptation.js';
import { MtcpError } from '../../registry/errors.js';
import { didYouMean } from '../../registry/support/near.js';
import type { LoraConfig, TrainConfig } from '../config/trial.js';
import { matches } from '../support/pattern.js';

/** Weights of the linear layers that make queries, keys and values, as the backbones here call them. */
const ATTENTION = ['attn.qkv', 'query', 'key', 'value'].map((layer) => `backbone.*${layer}.weight`);

const patternsOf = ({ parameters }: LoraConfig): readonly string[] => parameters ?? ATTENTION;

export function adaptationOf({ freeze, lora }: Pick<TrainConfig, 'freeze' | 'lora'>): Adaptation {
  if (freeze.length === 0 && !lora) return NO_ADAPTATION;
  const named = (patterns: readonly string[], name: string) =>
    !isAdapter(name) && patterns.some((pattern) => matches(pattern, name));
  const adapter = lora && { rank: lora.rank, scale: lora.alpha / lora.rank };
  const adapterOf = (name: string) => (lora && named(patternsOf(lora), name) ? adapter! : undefined);
  return { adapterOf, isFrozen: (name) => named(freeze, name) || adapterOf(name) !== undefined };
}

/**
 * Whether every pattern names something and something is left to train.
 * @param parameters of the network, and its statistics
 * @throws MtcpError `config` at `freeze` or `lora`
 */
export function requireAdaptation(
  train: Pick<TrainConfig, 'freeze' | 'lora'>,
  parameters: readonly string[],
  buffers: readonly string[],
): void {
  const own = parameters.filter((name) => !isAdapter(name));
  const names = [...own, ...buffers];
  requireEach(train.freeze, names, 'train.freeze: no parameter or statistic');
  const { lora } = train;
  if (lora?.parameters) requireEach(lora.parameters, own, 'train.lora: no parameter');
  else if (lora && !own.some((name) => ATTENTION.some((pattern) => matches(pattern, name))))
    throw new MtcpError('config', 'train.lora: the backbone has no weights of queries, keys or values', {
      hint: 'name weights of linear layers in train.lora.parameters',
    });
  const { isFrozen } = adaptationOf(train);
  if (train.freeze.length > 0 && parameters.every(isFrozen))
    throw new MtcpError('config', 'train.freeze: nothing is left to train', {
      hint: 'name fewer parameters',
    });
}

function requireEach(patterns: readonly string[], names: readonly string[], what: string): void {
  const idle = patterns.find((pattern) => !names.some((name) => matches(pattern, name)));
  if (idle === undefined) return;
  throw new MtcpError('config', `${what} is called "${idle}"`, { hint: didYouMean(idle, names) });
}
