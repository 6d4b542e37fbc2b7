export { defaultCredentials, profileRegion } from '../default.ts'
