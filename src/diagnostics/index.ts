/**
 * IAM policies and a doctor: the `outcrop` command as functions that take and return data.
 *
 * @module
 */
export { type CallerIdentity, type CallerIdentityOptions, getCallerIdentity } from './caller-identity.ts'
export { runDoctor } from './doctor.ts'
export type { DoctorOptions } from './doctor-options.ts'
export { type GatewayDoctorOptions, runGatewayDoctor } from './gateway-doctor.ts'
export {
  broadIamPolicy,
  type IamDestinations,
  type IamFeature,
  type IamPolicy,
  type IamPolicyOptions,
  type IamStatement,
  iamDestinations,
  iamFeatures,
  iamPolicy,
  type OpaqueProfile,
} from './iam-policy.ts'
export { type CheckResult, type CheckStatus, isHealthy } from './report.ts'
export { toTerraform } from './terraform.ts'
