import { createServer, type IncomingMessage } from 'node:http'
import process from 'node:process'
import { eventsOfBody, type QueuedEvent } from './event.ts'

/**
 * Takes `POST /publish` with an event or an array, and answers once `publish` has all of them in its queue. Anything else
 * gets 200 and `counters`. Ends with its parent.
 */
export function serve(counters: object, publish?: (events: readonly QueuedEvent[]) => Promise<void>): void {
  const server = createServer(async (request, response) => {
    const reply = (status: number, value: unknown) => {
      const body = JSON.stringify(value)
      const length = Buffer.byteLength(body)
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': length }).end(body)
    }
    if (request.url !== '/publish' || publish === undefined) return reply(200, counters)
    const events = eventsOfBody(await bodyOf(request))
    if (events === undefined) return reply(422, { detail: 'invalid' })
    await publish(events)
    reply(200, { status: 'queued', events: events.length })
  })
  server.listen(Number(process.env.PORT), '127.0.0.1')
  const leave = () => process.exit(0)
  process.once('SIGTERM', leave)
  process.once('disconnect', leave)
}

function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => request.once('end', () => resolve(Buffer.concat(chunks).toString())))
}
