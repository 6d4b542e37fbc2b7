/**
 * Adapts bodies to what each Claude model on Bedrock accepts.
 *
 * @module
 */
export { type AdaptationTarget, type AdaptedBody, adaptBody } from './adapt-body.ts'
export { type CompatibilityOptions, compatibility } from './compatibility.ts'
export { estimateTokens } from '../core/internal/estimate-tokens.ts'
export { compatibilityTable, type ModelCompatibility, modelBetas, type Support } from './table.ts'
