import { ConfigurationError } from 'outcrop'

/** Runs `serve`, and explains why a port cannot be used. @throws ConfigurationError */
export async function onPort<Server>(port: number, serve: () => Promise<Server>): Promise<Server> {
  try {
    return await serve()
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const problem =
      code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'needs more privileges' : `cannot be used: ${message}`
    throw new ConfigurationError(`Port ${port} ${problem}`, {
      cause,
      hint: 'Choose another port with --port, or use --port 0 for a free one.',
    })
  }
}
