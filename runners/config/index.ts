// The interface of this layer: loads and validates experiment files, explains faults, and compares rows.
export { display } from './compose.js';
export { fittedText, type Fitted } from './fit.js';
export { Faults, throwAll, type ReportFault } from './faults.js';
export { formatErrors, wantsColor, type FormatOptions } from './format.js';
export { checkFiles, loadExperiment, loadPluginsOf, profilesOf, validateFiles } from './load.js';
export {
  DEFAULT_PROFILE,
  type Expectation,
  type Experiment,
  type LoadOptions,
  type LatexConfig,
  type Noise,
  type Printed,
  type ReportConfig,
} from './experiment.js';
export { nextIndex, searchFolder, writeProposal, type Proposal } from './proposals.js';
export {
  drawn,
  isPoint,
  type Parameter,
  type Point,
  type RangeParameter,
  type SearchRow,
  type SearchSpec,
} from './search-space.js';
export type { SectionConfig } from './section.js';
export { findSite, loadSite, type Site, type SiteSearch } from './site.js';
export type { Origin } from './origin.js';
export { differences, inShort, isAsWritten, writeResolved, type Difference } from './resolved.js';
export { STARTED_PARTS, withSources } from './sources.js';
export { Provenance } from './provenance.js';
export { shareOf, threadsOf, workersOf, type RunSettings } from './run-settings.js';
export {
  HASH_VERSION,
  NOT_HASHED,
  type AuxiliaryConfig,
  type EngineConfig,
  type EvaluateConfig,
  type Halving,
  type IntermediateConfig,
  type ModelConfig,
  type TaskConfig,
  type LoraConfig,
  type TrainConfig,
  type TrialSpec,
  type TrialConfig,
  type WeightsConfig,
} from './trial.js';
