import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Consumer } from './packed.ts'

// Plays somebody at a terminal: waits for each text to appear, and types what follows it. Python has pseudo-terminals,
// Node has not.
const player = `
import json, os, pty, signal, sys
steps, argv = json.loads(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
def give_up(*_):
    os.kill(pid, signal.SIGKILL)
signal.signal(signal.SIGALRM, give_up)
signal.alarm(60)
output, seen = b'', 0
def read():
    global output
    try:
        chunk = os.read(fd, 65536)
    except OSError:
        chunk = b''
    output += chunk
    return chunk
for wanted, typed in steps:
    while wanted.encode() not in output[seen:]:
        if not read():
            break
    else:
        seen = output.index(wanted.encode(), seen) + len(wanted.encode())
        os.write(fd, typed.encode())
while read():
    pass
print(json.dumps({'screen': output.decode(), 'code': os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}))
`

/** Runs the installed command in a new terminal. */
export function playOutcrop(
  { directory }: Consumer,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  steps: readonly (readonly [wanted: string, typed: string])[],
): Promise<{ readonly screen: string; readonly code: number }> {
  const command = join(directory, 'node_modules/outcrop/dist/cli/index.js')
  const options = {
    cwd: directory,
    env: { HOME: directory, TERM: 'xterm', NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true', ...env },
  }
  return new Promise((resolve, reject) => {
    execFile(
      'python3',
      ['-c', player, JSON.stringify(steps), process.execPath, command, ...args],
      options,
      (error, stdout) => (error ? reject(error) : resolve(JSON.parse(stdout))),
    )
  })
}

/** Keys that are no text. */
export const ctrlC = '\x03'
export const ctrlD = '\x04'
