// What attackers have in common. They are clients with an address of their own, without any help of our SDK.
import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import process from 'node:process'
import { pause } from '../clock.ts'

export interface Front {
  readonly url: URL
  /** The client's address. */
  readonly localAddress: string
  /** Aborted when the attack is over. */
  readonly signal: AbortSignal
  /** Counts an answer: a status, or how a connection ended. */
  note(answer: string): void
}

/** Attacks until the signal, or until it has done all that it is allowed. */
export type Attack = (front: Front) => Promise<void>

/** `count` attackers at once, each doing the same again and again. */
export async function repeatedly(
  { signal }: Front,
  count: number,
  work: (attacker: number, turn: number) => Promise<unknown>,
): Promise<void> {
  const attack = async (_: unknown, number: number) => {
    for (let turn = 0; !signal.aborted; turn++) {
      const startedAt = performance.now()
      await work(number, turn)
      // Who is turned away at once comes back at once, but does not spend its own processor on it alone.
      if (performance.now() - startedAt < 2) await pause(2, signal)
    }
  }
  await Promise.all(Array.from({ length: count }, attack))
}

/** The attackers' key: whoever has none is turned away at the door, which is no attack. */
const { SEKALI_TOKEN: key } = process.env
const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }

const agents = new Map<string, Agent>()

export interface Request extends RequestOptions {
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** Asks on connections that are kept, reads all of the answer, and counts it. Never rejects. */
export async function call(front: Front, { body, headers, ...options }: Request): Promise<string> {
  const { url, localAddress, signal, note } = front
  const agent = agents.get(localAddress) ?? new Agent({ keepAlive: true })
  agents.set(localAddress, agent)
  const { promise, resolve } = Promise.withResolvers<string>()
  const all = {
    host: url.hostname,
    port: url.port,
    localAddress,
    agent,
    signal,
    headers: { ...authorization, ...headers },
    ...options,
  }
  const outgoing = request(all, (answer) => {
    answer.once('error', () => resolve('cut off'))
    answer.once('end', () => resolve(String(answer.statusCode)))
    answer.resume()
  })
  outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name))
  outgoing.end(body)
  const said = await promise
  if (!signal.aborted) note(said)
  return said
}

/** A connection on which the attacker says what it likes. What comes back is not read until somebody does. */
export function open(front: Front): Socket {
  const { url, localAddress, signal, note } = front
  const socket = connect({ host: url.hostname, port: Number(url.port), localAddress })
  socket.once('connect', () => note('connected'))
  socket
    .on('error', () => undefined)
    .once('close', () => {
      if (!signal.aborted) note('hung up on')
    })
  return socket
}

/** Waits until a connection says one of these, or has ended, or the attack is over. */
export async function untilEvent({ signal }: Front, socket: Socket, ...events: string[]): Promise<void> {
  if (signal.aborted || socket.destroyed) return
  const settled = new AbortController()
  const options = { signal: settled.signal }
  const waits = [...events, 'close'].map((event) => once(socket, event, options))
  await Promise.race([...waits, once(signal, 'abort', options)]).catch(() => undefined)
  settled.abort()
  await Promise.allSettled(waits)
}

/** Counts the statuses of answers on a connection that is read. */
export function noteAnswers({ note }: Front, socket: Socket): Socket {
  return socket.setEncoding('latin1').on('data', (text: unknown) => {
    for (const [, status = ''] of String(text).matchAll(/HTTP\/1\.1 (\d{3}) /g)) note(status)
  })
}

/** A request as it goes over the wire. */
export function wire(method: string, path: string, headers: Record<string, string> = {}, body = ''): string {
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({ host: 'localhost', ...authorization, ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

export const json = { 'content-type': 'application/json' }

export const eventOf = (topic: string, id: string, payload = '{}'): string =>
  `{"topic":"${topic}","event_id":"${id}","timestamp":"2026-01-01T00:00:00Z","source":"abuser","payload":${payload}}`

export const arrayOf = (count: number, event: (index: number) => string): string =>
  `[${Array.from({ length: count }, (_, index) => event(index)).join(',')}]`

/** Its log is long enough to be dear to read. */
export const history = 'abuse.history'
