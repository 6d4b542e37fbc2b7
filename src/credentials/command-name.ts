/** The program that a command starts. The words before and after it may hold a secret. */
export function commandName(command: string): string {
  // Assignments come first, as in `TOKEN=… helper`.
  const all = words(command)
  const at = all.findIndex((word) => !/^\w+=/.test(word))
  const program = all[at]?.replaceAll(/["']/g, '').slice(0, 200)
  // A substitution, as in `TOKEN=$(print secret) helper`, has words of its own.
  return !program || /[$`(]/.test(all.slice(0, at + 1).join('')) ? 'The command' : program
}

/**
 * A command as it may be shown: AWS's logins as they are, and of all others the program alone, since a password may be
 * among the arguments.
 */
export function showCommand(command: string): string {
  const all = words(command)
  if (isLogin(all)) return all.join(' ')
  return all.length > 1 ? `${commandName(command)} …` : commandName(command)
}

/** `aws sso login`, `aws login`, and their options, of which none is a secret. */
function isLogin([program, ...rest]: readonly string[]): boolean {
  const options = rest.slice(rest[0] === 'sso' ? 2 : 1)
  const isLogin = program === 'aws' && (rest[0] === 'login' || (rest[0] === 'sso' && rest[1] === 'login'))
  return isLogin && options.length <= 10 && options.every((word) => /^[\w.@/=-]{1,64}$/.test(word))
}

/** A shell's words, with their quotes. */
function words(command: string): string[] {
  return command.match(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g) ?? []
}
