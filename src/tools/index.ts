/**
 * Tools that run, and output that fits a schema. Schemas of zod, valibot, arktype and all that follow Standard Schema.
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
