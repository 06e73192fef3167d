import { signal } from '@preact/signals'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { asProblem, Problem } from './problem.ts'

/** Whether somebody can see the page. While nobody can, nothing is asked for. */
export const isVisible = signal(document.visibilityState === 'visible')
document.addEventListener('visibilitychange', () => {
  isVisible.value = document.visibilityState === 'visible'
})

/** How many answers the page has none of yet: it has nothing to show in their places. */
export const firstReads = signal(0)
const countFirst = (change: 1 | -1): void => {
  firstReads.value = firstReads.peek() + change
}

export interface Polled<T> {
  /** The last answer; it stays while later calls fail. */
  readonly data: T | undefined
  /** Why the last call failed; undefined if it did not. */
  readonly problem: Problem | undefined
  /** When the last answer came: ms since 1970. */
  readonly at: number | undefined
  /** Asks at once, after something was changed. */
  readonly refresh: () => void
}

interface Options {
  /** `null`: only once, and when the page is seen again. */
  readonly everyMs?: number | null
  /** Nothing is asked for, and the last answer stays. */
  readonly isPaused?: boolean
}

export const pollMs = 5_000
/** What is asked for again and again is not waited for long: the next answer is newer. */
const timeoutMs = 5_000

const tooLate = () => new Problem(0, 'timed_out', `no answer within ${timeoutMs / 1_000} s`)

/**
 * Calls `load` again and again while the page is visible, one call at a time, and anew when `key` changes. `key` has to
 * name all that the answer depends on; the answer to another key is never shown.
 */
export function usePolled<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs = pollMs, isPaused = false }: Options = {},
): Polled<T> {
  const [answer, setAnswer] = useState<{ key: string; data?: T; problem?: Problem; at?: number }>({ key })
  const [wish, setWish] = useState(0)
  const loader = useRef(load)
  loader.current = load
  const answered = useRef<string | undefined>(undefined)
  const visible = isVisible.value

  // `key` stands for what is loaded, `wish` for a refresh
  useEffect(() => {
    if (!visible || isPaused) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let isFirst = answered.current !== key
    if (isFirst) countFirst(1)
    const endFirst = () => {
      if (isFirst) countFirst(-1)
      isFirst = false
    }
    const ask = async () => {
      const began = Date.now()
      const timeout = everyMs === null ? undefined : AbortSignal.timeout(timeoutMs)
      try {
        const data = await loader.current(AbortSignal.any(timeout ? [stop.signal, timeout] : [stop.signal]))
        if (!stop.signal.aborted) setAnswer({ key, data, at: began })
      } catch (error) {
        if (stop.signal.aborted) return
        const problem = timeout?.aborted ? tooLate() : asProblem(error)
        setAnswer((before) => (before.key === key ? { ...before, problem } : { key, problem }))
      }
      answered.current = key
      endFirst()
      if (everyMs !== null && !stop.signal.aborted) timer = setTimeout(ask, everyMs)
    }
    void ask()
    return () => {
      stop.abort()
      endFirst()
      clearTimeout(timer)
    }
  }, [key, everyMs, isPaused, visible, wish])

  const refresh = useCallback(() => setWish((count) => count + 1), [])
  const current = answer.key === key ? answer : undefined
  return { data: current?.data, problem: current?.problem, at: current?.at, refresh }
}
