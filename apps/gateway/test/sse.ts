import { type ClientRequest, type IncomingMessage, request } from 'node:http'

export interface Told {
  readonly id: string
  readonly data: {
    readonly topic: string
    readonly event_id: string
    readonly seq: number
    readonly source: string
  }
}

/** A tail as EventSource reads it, that does not come again by itself. */
export interface OpenTail extends Disposable {
  /** The status and headers it was answered with. */
  readonly answered: Promise<IncomingMessage>
  readonly told: readonly Told[]
  /** The last id that came, with an event or without. */
  readonly lastId: string
  /** The text as it came. */
  readonly text: string
  /** Resolves when the connection is over, however it ended. */
  readonly over: Promise<void>
}

export function openTail(url: string, query: string, headers: Record<string, string> = {}): OpenTail {
  const answered = Promise.withResolvers<IncomingMessage>()
  const over = Promise.withResolvers<void>()
  const told: Told[] = []
  let lastId = ''
  let text = ''
  let rest = ''
  const call: ClientRequest = request(`${url}/tail?${query}`, { headers, agent: false })
  call.on('error', () => over.resolve())
  call.on('close', () => over.resolve())
  call.on('response', (response) => {
    answered.resolve(response)
    response.on('error', () => over.resolve())
    response.on('close', () => over.resolve())
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const field = (name: string) =>
          block
            .split('\n')
            .filter((line) => line.startsWith(`${name}: `))
            .map((line) => line.slice(name.length + 2))
        const [data] = field('data')
        lastId = field('id')[0] ?? lastId
        if (data !== undefined) told.push({ id: lastId, data: JSON.parse(data) })
      }
    })
  })
  call.end()
  over.promise.then(() => answered.reject(new Error('no answer')))
  answered.promise.catch(() => undefined)
  return {
    answered: answered.promise,
    over: over.promise,
    told,
    get lastId() {
      return lastId
    },
    get text() {
      return text
    },
    [Symbol.dispose]: () => void call.destroy(),
  }
}
