/** Through here comes every connection and every request, and who sends too many of either is refused. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ClientLimit, Overloaded } from '@sekali/core/errors'
import type { Connections } from './connections.ts'
import { createPipelines, type Pipelines } from './pipeline.ts'
import { refusal } from './problem.ts'
import { type Answer, answer, send } from './reply.ts'
import { createTurnedAway } from './turned-away.ts'

/** Once `leaving` is aborted, answers go out with `Connection: close`. */
export function admitTo(
  server: Server,
  listener: RequestListener,
  connections: Connections,
  leaving: AbortSignal,
): Pipelines {
  const turnedAway = createTurnedAway()
  const pipelines = createPipelines(
    ({ seat }, { request, response }) => {
      if (leaving.aborted) response.setHeader('Connection', 'close')
      const refused = refuse(request) ?? refusedBy(() => connections.begin(seat, request))
      if (refused !== undefined) return closeWith(response, refused)
      // Nobody reads the body of another method, and Node would keep what has come of it until the answer is out.
      if (request.method !== 'POST' && !request.complete) request.resume()
      listener(request, response)
    },
    ({ seat }) => connections.end(seat),
  )
  server.on('connection', (socket: Socket) => {
    const refused = refusedBy(() => pipelines.open(connections.admit(socket)))
    if (refused !== undefined) turnedAway.add(socket, refused)
  })
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    if (!pipelines.take(request, response)) turnedAway.take(request, response)
  }
  server.on('request', onRequest)
  server.on('checkExpectation', onRequest) // Node would answer out of turn
  return pipelines
}

const continues = /(?:^|\W)100-continue(?:$|\W)/i

/** What Node would refuse by itself, but out of turn: such requests would not wait for those before them. */
function refuse({ headers, httpVersion }: IncomingMessage): Answer | undefined {
  if (httpVersion !== '1.1') return undefined
  if (headers.host === undefined) return answer(400, null, {})
  return headers.expect === undefined || continues.test(headers.expect) ? undefined : answer(417, null, {})
}

/** The answer to whoever `admission` has no room for. */
function refusedBy(admission: () => void): Answer | undefined {
  try {
    admission()
    return undefined
  } catch (error) {
    if (error instanceof ClientLimit) return refusal('client_limit', { random: Math.random })
    if (error instanceof Overloaded) return refusal('overloaded', { random: Math.random })
    throw error
  }
}

const closeWith = (response: ServerResponse, { status, body, headers }: Answer): void =>
  send(response, { status, body, headers: { ...headers, Connection: 'close' } })
