/**
 * A tool loop, and structured output. Works with schemas of zod, valibot, arktype and any other Standard Schema
 * library.
 *
 * @module
 */
export { LimitError, type LimitErrorOptions, OutputError, type OutputErrorOptions } from '../core/errors.ts'
export {
  type OutputFormat,
  outputFormat,
  parse,
  type ParsedMessage,
  type ParsedOutput,
  type ParseParams,
} from './parse.ts'
export { runTools, type RunToolsParams, type ToolLimits, type ToolRunner } from './run-tools.ts'
export type { InferOutput, SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'
export { type Runnable, type RunnableTool, tool, type ToolContext, ToolError, type ToolOptions } from './tool.ts'
