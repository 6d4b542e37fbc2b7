/** Returns the program that a command starts. The words before and after it may contain a secret. */
export function commandName(command: string): string {
  // A command may begin with assignments, as in `TOKEN=… helper`.
  const all = words(command)
  const at = all.findIndex((word) => !/^\w+=/.test(word))
  const program = all[at]?.replaceAll(/["']/g, '').slice(0, 200)
  // A substitution, as in `TOKEN=$(print secret) helper`, contains other words.
  return !program || /[$`(]/.test(all.slice(0, at + 1).join('')) ? 'The command' : program
}

/**
 * Returns the part of a command that may be shown: AWS's login commands in full, of all others only the program,
 * because the arguments may contain a password.
 */
export function showCommand(command: string): string {
  const all = words(command)
  if (isLogin(all)) return all.join(' ')
  return all.length > 1 ? `${commandName(command)} …` : commandName(command)
}

/** Matches `aws sso login` and `aws login` with their options, none of which is secret. */
function isLogin([program, ...rest]: readonly string[]): boolean {
  const options = rest.slice(rest[0] === 'sso' ? 2 : 1)
  const isLogin = program === 'aws' && (rest[0] === 'login' || (rest[0] === 'sso' && rest[1] === 'login'))
  return isLogin && options.length <= 10 && options.every((word) => /^[\w.@/=-]{1,64}$/.test(word))
}

/** Splits a command into a shell's words, with their quotes. */
function words(command: string): string[] {
  return command.match(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g) ?? []
}
