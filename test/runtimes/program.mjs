// The program for every runtime: streams a message after a throttled attempt, detects a truncated stream, and aborts a third.
export async function run({ createBedrockClient, isBedrockError }, { endpoint, region, credentials }) {
  const bedrock = createBedrockClient({ region, credentials, endpoint, retry: { baseDelay: 1 } })
  const params = { model: 'sonnet', max_tokens: 256, messages: [{ role: 'user', content: 'Grüße aus 東京' }] }

  const stream = bedrock.messages.stream(params)
  let text = ''
  for await (const piece of stream.textStream) text += piece
  const message = await stream.finalMessage()
  if (text === '' || text !== (await stream.finalText())) throw new Error(`text: ${JSON.stringify(text)}`)
  if (message.metadata.attempts !== 2) throw new Error(`${message.metadata.attempts} attempts in place of 2`)

  let events = 0
  try {
    for await (const _ of bedrock.messages.stream({ ...params, model: 'opus' })) events++
    throw new Error('The truncated stream was taken for a whole one')
  } catch (error) {
    if (!isBedrockError(error, 'stream_truncated') || events === 0) throw error
  }

  const aborted = bedrock.messages.stream({ ...params, model: 'haiku' })
  try {
    for await (const _ of aborted) aborted.abort()
    throw new Error('The aborted stream came to an end')
  } catch (error) {
    if (error.name !== 'AbortError') throw error
  }
  return `streamed ${text.length} characters`
}
