// Sections of an experiment file that name a component but are not part of a trial, such as `tracking`.
import type { Slot } from '../../registry/container.js';
import { child, toValue, type YamlMap } from './nodes.js';
import { where } from './source-text.js';

export interface SectionConfig {
  /** null: none, whatever the environment says. */
  slot: Slot | null;
  /** Who wrote an option (or the section), as `file:line:col`. */
  locate(option?: string): string;
}

/** Undefined if the file says nothing about it. */
export function sectionOf(root: YamlMap, name: string): SectionConfig | undefined {
  const node = child(root, name);
  if (!node) return root.removed.has(name) ? { slot: null, locate: () => where(root.mark) } : undefined;
  return {
    slot: toValue(node) as Slot,
    locate: (option) => where(((option && child(node, option)) || node).mark),
  };
}
