// A minimal server that answers like Bedrock, so that the measurements show the clients. Prints its port, and with a
// certificate also the port for TLS. Detects HTTP/2 by its connection preface.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createTlsServer } from 'node:tls'
import { answer, firstFrame } from './http-bodies.mjs'

const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-amzn-requestid: 01234567-89ab-4cde-8f01-23456789abcd\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`,
)
const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n'
const stream = Buffer.concat([
  Buffer.from(`${streamHead}${firstFrame.length.toString(16)}\r\n`),
  firstFrame,
  Buffer.from('\r\n'),
])
const isStream = (path) => path.includes('with-response-stream')

const http2 = createHttp2Server({ settings: { maxConcurrentStreams: 10_000 } })
http2.on('stream', (incoming, headers) => {
  incoming.resume()
  incoming.on('error', () => {})
  incoming.on('end', () => {
    const isOpen = isStream(headers[':path'])
    const type = isOpen ? 'application/vnd.amazon.eventstream' : 'application/json'
    incoming.respond({ ':status': 200, 'content-type': type })
    if (isOpen) incoming.write(firstFrame)
    else incoming.end(answer)
  })
})

function serve(socket) {
  socket.on('error', () => {})
  let held = ''
  socket.once('data', (first) => {
    if (first.toString('latin1', 0, 3) === 'PRI') {
      socket.pause()
      socket.unshift(first)
      http2.emit('connection', socket)
      return
    }
    read(first)
    socket.on('data', read)
  })
  function read(chunk) {
    held += chunk.toString('latin1')
    for (;;) {
      const end = held.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = held.slice(0, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (held.length < end + 4 + length) return
      held = held.slice(end + 4 + length)
      socket.write(isStream(head) ? stream : whole)
    }
  }
}

const port = (server) => new Promise((resolve) => server.listen(0, () => resolve(server.address().port)))
const ports = [await port(createServer({ noDelay: true }, serve))]
const [, , certificate, key] = process.argv
if (certificate) {
  const pem = { cert: readFileSync(certificate), key: readFileSync(key) }
  ports.push(await port(createTlsServer({ ...pem, noDelay: true, ALPNProtocols: ['h2', 'http/1.1'] }, serve)))
}
console.log(ports.join(' '))
