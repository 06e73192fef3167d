/** One POST to an endpoint, and what of its answer is kept. */
import type { HeaderValues } from '@sekali/store/push-types'
import type { Allow } from '@sekali/webhook/guard'
import { webhookLimits } from '@sekali/webhook/limits'
import { type Dispatcher, Pool } from 'undici'
import { dispatcherLimits } from '../limits.ts'
import { guardedConnect } from './connect.ts'
import { hide } from './hide.ts'
import type { Resolve } from './names.ts'

export interface Reply {
  readonly status: number
  readonly headers: HeaderValues
  /** The beginning of its body, and whether there was more. */
  readonly body: string
  readonly cut: boolean
}

interface Post {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
  /** What is not kept of an answer. */
  readonly hidden?: readonly string[]
  /** Aborted when the process cannot wait any longer. */
  readonly signal: AbortSignal
}

/** Connections to one endpoint. */
export interface Line {
  /** Resolves with whatever answer comes; a redirect is one, and is not followed. Rejects where none comes in time. */
  post(post: Post): Promise<Reply>
  /** Closes the connections once nothing is on its way. */
  end(): Promise<void>
}

export function openLine(url: string, concurrency: number, allow: Allow, resolve?: Resolve): Line {
  const { origin, pathname, search } = new URL(url)
  const pool = new Pool(origin, {
    connect: guardedConnect(allow, resolve),
    connections: concurrency,
    pipelining: 1,
    keepAliveTimeout: dispatcherLimits.keepAliveMs,
    keepAliveMaxTimeout: dispatcherLimits.keepAliveMs,
    maxHeaderSize: webhookLimits.responseHeaderBytesMax,
  })
  return {
    async post({ headers, body, timeoutMs, hidden = [], signal }) {
      using deadline = openDeadline(timeoutMs, signal)
      const answer = await pool.request({
        method: 'POST',
        path: pathname + search,
        headers,
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: deadline.signal,
      })
      const read = await readBeginning(answer.body)
      return { status: answer.statusCode, headers: kept(answer.headers, hidden), ...beginning(read, hidden) }
    },
    end: () => pool.close(),
  }
}

/** Aborts after that time, or with the signal. By hand: `AbortSignal.any` of two takes a tenth of a delivery's time. */
function openDeadline(ms: number, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), ms)
  const onCut = () => controller.abort()
  if (signal.aborted) onCut()
  signal.addEventListener('abort', onCut)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onCut)
    },
  }
}

interface Read {
  readonly bytes: Buffer
  readonly cut: boolean
}

/**
 * Reads as much as is kept and a bit more, and closes the connection where there is more: it may never end. What has come of a body that breaks
 * off, or does not end in time, counts: the status has said what became of the request.
 */
async function readBeginning(body: Dispatcher.ResponseData['body']): Promise<Read> {
  const chunks: Buffer[] = []
  let bytes = 0
  let cut = false
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > webhookLimits.responseBytesMax) {
        cut = true
        break // which destroys the body, and so the connection
      }
    }
  } catch {
    cut = true
  }
  return { bytes: Buffer.concat(chunks), cut }
}

/** Hidden before it is cut: half of a secret would not be found. */
function beginning({ bytes, cut }: Read, hidden: readonly string[]): Pick<Reply, 'body' | 'cut'> {
  const text = hide(decoder.decode(bytes), hidden, cut)
  const body = beginningOf(text, webhookLimits.responseBytesMax)
  return { body, cut: cut || body !== text }
}

const decoder = new TextDecoder()

/** At most so many bytes of a text. */
export function beginningOf(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text
  return decoder.decode(Buffer.from(text).subarray(0, bytesMax))
}

const headersMax = 30
const valueCharsMax = 256

/** Cookies are the endpoint's own secrets, and nobody here sends them back. */
const kept = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  hidden: readonly string[],
): HeaderValues =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => value !== undefined && name !== 'set-cookie')
      .slice(0, headersMax)
      .map(([name, value]) => [
        name.slice(0, valueCharsMax),
        hide([value].flat().join(', '), hidden).slice(0, valueCharsMax),
      ]),
  )
