export { type CatalogModel, catalog } from './catalog.ts'
export { destinationsOf } from './regions.ts'
export { type DiscoverOptions, discoverInferenceProfiles, type InferenceProfile } from './discovery.ts'
export type { ModelExplanation, ResolutionStep } from './explanation.ts'
export { type GeographyRules, profileFor } from './geography.ts'
export { formatModelId, isFullModelId, type ParsedModelId, parseModelId } from '../core/model-id.ts'
export {
  type AnthropicModelId,
  type CatalogModelResolver,
  createModelResolver,
  type ModelFamily,
  type ModelResolverOptions,
} from './resolver.ts'
