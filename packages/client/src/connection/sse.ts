import { createLineSplitter } from './lines.ts'

export interface SseMessage {
  /** The id that was said last; it may have come with an earlier message. */
  readonly id: string
  readonly data: string
}

/**
 * Reads Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * Give it each chunk; it returns the messages that are complete by then. What is not complete at the end is dropped,
 * as the standard says: it will come again after the id.
 *
 * A lone CR as a line end, which the standard allows too, is not known here: no gateway sends it.
 */
export function createSseParser(lastId = '') {
  const lines = createLineSplitter()
  let id = lastId
  // An id counts from the end of its message on: one whose data are cut off must come again.
  let nextId = lastId
  let data: string[] = []

  function take(line: string): SseMessage | undefined {
    if (line === '') {
      id = nextId
      const message = data.length === 0 ? undefined : { id, data: data.join('\n') }
      data = []
      return message
    }
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'data') data.push(value)
    else if (name === 'id' && !value.includes('\0')) nextId = value
    return undefined // a comment, which keeps the connection alive, or a field that nobody knows
  }

  return {
    push: (chunk: Uint8Array): SseMessage[] =>
      lines.push(chunk).flatMap((line) => {
        const message = take(line)
        return message === undefined ? [] : [message]
      }),
    lastId: () => id,
  }
}
