/** Admits connections and requests, and refuses those of a client that has too many. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ClientLimit, Overloaded } from '@sekali/core/errors'
import { refusal } from '../http/problem.ts'
import { type Answer, send } from '../http/reply.ts'
import type { Connections } from './connections.ts'
import { createPipelines, type Pipelines } from './pipelines.ts'
import { createTurnedAway } from './turned-away.ts'

/** Once `leaving` is aborted, answers go out with `Connection: close`. `onAnswer` gets the status of each answer. */
export function admitTo(
  server: Server,
  listener: RequestListener,
  connections: Connections,
  leaving: AbortSignal,
  onAnswer: (status: number) => void,
): Pipelines {
  const turnedAway = createTurnedAway(onAnswer)
  const pipelines = createPipelines(
    ({ seat }, { request, response }) => {
      if (leaving.aborted) response.setHeader('Connection', 'close')
      const refused = refuse(request) ?? refusedBy(() => connections.begin(seat, request))
      if (refused !== undefined) return closeWith(response, refused)
      listener(request, response)
    },
    ({ seat }, { response }) => {
      if (response.headersSent) onAnswer(response.statusCode) // otherwise its client left before it had one
      connections.end(seat)
    },
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
  server.on('checkContinue', onRequest) // Node would ask for the body before it is known who sends it
  return pipelines
}

/** Asks for the body of a request that waits to be asked (RFC 9110, 10.1.1), once it is known that it may come. */
export function askForBody(
  { headers: { expect = '' }, httpVersion }: IncomingMessage,
  response: ServerResponse,
): void {
  if (expect !== '' && httpVersion === '1.1' && continues.test(expect)) response.writeContinue()
}

const continues = /(?:^|\W)100-continue(?:$|\W)/i

/** Refuses what Node would refuse too early, before it is that request's turn, or would take and could not read. */
function refuse({ headers, httpVersion }: IncomingMessage): Answer | undefined {
  const { expect, 'transfer-encoding': coding } = headers
  if (httpVersion !== '1.1') {
    // A proxy in between may not know chunks, and look for the body's end elsewhere (RFC 9112, 6.1).
    return coding === undefined ? undefined : refusal('bad_request', { detail: chunksIn10 })
  }
  if (expect !== undefined && !continues.test(expect)) return refusal('expectation_failed')
  if (coding === undefined || coding.toLowerCase() === 'chunked') return undefined
  return refusal('unsupported_transfer_coding')
}

const chunksIn10 = 'HTTP/1.0 has no Transfer-Encoding. Send a Content-Length, or HTTP/1.1.'

/** The answer if `admission` has no room. */
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
