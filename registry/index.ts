// Everything that a component needs: how to announce itself, the contract of its kind, and what it receives.
// Components outside this repository import this as 'mtcp/registry'.
export { component, components, options, tasks } from './component.js';
export { KINDS, type ComponentMeta, type Contracts, type Kind } from './entry.js';
export { Configured } from './configured.js';
export type { ComponentFactory } from './container.js';
export { define, type Definition, type Given } from './define.js';
export { MtcpError, type ErrorDetails, type ErrorKind } from './errors.js';
export {
  defineOptions,
  type ClosedSchema,
  type OptionsOf,
  type OptionsSchema,
  type Properties,
  type PropertySchema,
  type Slot,
} from './options.js';
export { randomStream, shuffle, type RandomStream } from './random.js';
export type * from './contracts/adaptation.js';
export type * from './contracts/auxiliary.js';
export type * from './contracts/blocks.js';
export type * from './contracts/checkpoints.js';
export type * from './contracts/data.js';
export { NO_TAPS } from './contracts/features.js';
export type * from './contracts/features.js';
export type * from './contracts/launching.js';
export type * from './contracts/learning.js';
export type * from './contracts/scheme.js';
export type * from './contracts/scope.js';
export type * from './contracts/tracking.js';
export type * from './contracts/task-kind.js';
export { IGNORE, type ClassCounts, type Task } from './contracts/tasks.js';
export { kindOf } from './kinds.js';
export { markNotFinite, masked } from './unknown.js';
