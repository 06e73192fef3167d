/** Takes down what goes out on a response of node:http, whoever writes it, and holds it against the description. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type Answered, violationsOf } from './answer.ts'
import { type Described, readDescription } from './described.ts'

/** Of a body so much is looked at. Tests that measure memory must not find ours. */
const bytesMax = 128 * 1024
/** Of a tail less: tests have a thousand of them. */
const tailBytesMax = 4 * 1024

let description: Described | undefined

/** It takes a tenth of a second to read: that is to be over before a test measures something. */
function described(): Described {
  description ??= readDescription()
  return description
}

/** The violations of an answer. */
export const check = (answered: Answered): readonly string[] => violationsOf(described(), answered)

/**
 * Fails the run of the tests, whatever the test is about: vitest reports what is not handled, and no test can forget to look.
 */
function fail(text: string): void {
  void Promise.reject(new Error(`undescribed answer: ${text}`))
}

/** The same listener, whose answers are held against the description. */
export function watched(listener: RequestListener, onViolation = fail): RequestListener {
  described()
  return (request, response) => {
    watchAnswer(request, response, onViolation)
    listener(request, response)
  }
}

interface App {
  request(target: string, init?: RequestInit): Response | Promise<Response>
}

/** Does the same for what a test asks of an app without a connection. The test gets its answer first. */
export function watchRequests(app: App): void {
  const { request } = app
  described()
  app.request = async (target, init) => {
    const response = await request(target, init)
    const { status } = response
    // The listener in front of an app gives it.
    const headers = new Map([...response.headers, ['x-request-id', 'none']])
    const about = { method: init?.method ?? 'GET', path: pathOf(target), status, headers, isWhole: true }
    void response
      .clone()
      .text()
      .then((body) => check({ ...about, body }).forEach(fail))
    return response
  }
}

/** Reports what is wrong with the answer to a request, once it is over. */
export function watchAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  onViolation: (text: string) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  let isWhole = true
  let given: object = {}
  const { writeHead, write, end } = response
  const take = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const headers = headersOf(response, given)
    const max = headers.get('content-type') === 'text/event-stream' ? tailBytesMax : bytesMax
    const room = headers.has('content-encoding') ? 0 : Math.max(0, max - bytes)
    const text = typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'
    const all = typeof chunk === 'string' ? Buffer.from(chunk, text) : chunk
    if (all.length > room) isWhole = false
    if (room === 0) return
    const taken = Buffer.from(all.subarray(0, room)) // a copy: no more than this is to be held
    bytes += taken.length
    chunks.push(taken)
  }
  response.writeHead = ((...args: unknown[]) => {
    const last = args.at(-1)
    if (typeof last === 'object' && last !== null) given = last
    return Reflect.apply(writeHead, response, args)
  }) as typeof writeHead
  response.write = ((...args: unknown[]) => {
    take(args[0], args[1])
    return Reflect.apply(write, response, args)
  }) as typeof write
  response.end = ((...args: unknown[]) => {
    take(args[0], args[1])
    return Reflect.apply(end, response, args)
  }) as typeof end
  response.once('close', () => {
    if (!response.headersSent) return // cut without an answer
    const headers = headersOf(response, given)
    const isCoded = headers.has('content-encoding')
    for (const violation of check({
      method: request.method ?? '',
      path: pathOf(request.url ?? ''),
      status: response.statusCode,
      headers,
      body: isCoded ? undefined : Buffer.concat(chunks).toString(),
      isWhole: isWhole && response.writableFinished,
    })) {
      onViolation(violation)
    }
  })
}

/** A target without its query. It may be one that no URL can have. */
const pathOf = (target: string): string => target.split('?', 1)[0] ?? ''

/** What was set, and what was given with the status: Node keeps both apart. */
function headersOf(response: ServerResponse, given: object): Map<string, string> {
  const pairs: [string, unknown][] = Array.isArray(given)
    ? Array.from({ length: given.length / 2 }, (_, at) => [given[2 * at], given[2 * at + 1]])
    : Object.entries(given)
  const all = [...Object.entries(response.getHeaders()), ...pairs]
  return new Map(all.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
