/** The one long connection of the page: what is stored from now on, by Server-Sent Events. */
import { isLoginDue, pathOf } from '../http/call.ts'
import { type Problem, problemOf } from '../http/problem.ts'
import type { Restored } from './rows.ts'

/** What is asked for: a topic or pattern, and perhaps a source. */
export interface Followed {
  readonly topic: string
  readonly source?: string | undefined
}

export type FollowState = 'connecting' | 'live' | 'waiting' | 'refused'

interface Listener {
  /** The events that came since the last call, each as a line of JSON. */
  readonly onLines: (lines: readonly string[], passed: number) => void
  readonly onState: (state: FollowState) => void
  /** Trying again would not help. */
  readonly onRefused: (problem: Problem) => void
  /** The log was restored from a backup, and what came of it before may be gone. It has ended. */
  readonly onRestored: (restored: Restored) => void
  /** It begins once more from now: nothing has come so far, so it does not know where it was. */
  readonly onAgain: () => void
}

const linesMax = 1_000
const handOverMs = 200
const againMs = 1_500

let close: (() => void) | undefined

/**
 * Follows until the returned function is called. A browser has six connections for a host, so there is only ever one
 * tail: a new one ends the one before.
 */
export function follow(
  { topic, source }: Followed,
  { onLines, onState, onRefused, onRestored, onAgain }: Listener,
): () => void {
  close?.()
  let lines: string[] = []
  let passed = 0
  let cursor = ''
  let stream: EventSource | undefined
  let again: ReturnType<typeof setTimeout> | undefined

  const stop = new AbortController()
  const urlOf = () => `./${pathOf(['tail'], { topic, source, last_event_id: cursor })}`

  function open(): void {
    onState('connecting')
    stream = new EventSource(urlOf())
    stream.onopen = () => onState('live')
    stream.onmessage = ({ data, lastEventId }) => {
      cursor = lastEventId
      lines.push(data)
      // Nobody can read a thousand rows in a fifth of a second: the newest are kept, and the others counted.
      if (lines.length > 2 * linesMax) {
        passed += linesMax
        lines = lines.slice(linesMax)
      }
    }
    stream.onerror = () => {
      onState('waiting')
      // After an answer other than an event stream an EventSource gives up for good.
      if (stream?.readyState === EventSource.CLOSED) void askWhy()
    }
  }

  /** An EventSource does not say what the answer was, so it is asked for once more. */
  async function askWhy(): Promise<void> {
    const problem = await refusalOf(urlOf(), stop.signal)
    if (stop.signal.aborted) return
    if (problem?.status === 401) isLoginDue.value = true
    if (problem === undefined || problem.status >= 500 || problem.status === 429) {
      if (cursor === '') onAgain()
      again = setTimeout(open, againMs + Math.random() * againMs)
    } else if (problem.code === 'log_restored') {
      end()
      onRestored(restoredOf(problem))
    } else {
      onState('refused')
      onRefused(problem)
    }
  }

  const handOver = setInterval(() => {
    if (lines.length === 0) return
    const came = lines.slice(-linesMax)
    const left = passed + lines.length - came.length
    lines = []
    passed = 0
    onLines(came, left)
  }, handOverMs)

  function end(): void {
    clearInterval(handOver)
    clearTimeout(again)
    stop.abort()
    stream?.close()
    if (close === end) close = undefined
  }
  close = end
  open()
  return end
}

export function restoredOf({ fields }: Problem): Restored {
  const { topic, epoch, forked_at } = fields
  return { topic: String(topic), epoch: Number(epoch), forkedAt: Number(forked_at) }
}

/** Why a tail is refused; undefined if it is not, or nobody answers. */
async function refusalOf(url: string, signal: AbortSignal): Promise<Problem | undefined> {
  const once = new AbortController()
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, once.signal]) })
    if (!answer.ok) return problemOf(answer.status, await answer.text())
  } catch {
    // The next try may find somebody.
  } finally {
    once.abort()
  }
  return undefined
}
