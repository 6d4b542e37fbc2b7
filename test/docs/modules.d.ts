// Packages of the reader's surroundings, which are not installed here.
declare module '@actions/core' {
  export function getIDToken(audience?: string): Promise<string>
}
