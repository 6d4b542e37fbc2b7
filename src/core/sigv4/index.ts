/**
 * AWS Signature Version 4, for any AWS service that signs its path encoded twice, which is every service but S3.
 *
 * @module
 */
export type { HeadersLike } from './canonical-request.ts'
export { type PresignableRequest, presignUrl } from './presign-url.ts'
export { type SignableRequest, type SignedRequest, type SigningScope, signRequest } from './sign-request.ts'
