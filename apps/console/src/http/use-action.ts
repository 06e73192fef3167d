import { useCallback, useRef, useState } from 'preact/hooks'
import { asProblem, type Problem } from './problem.ts'

export interface Action<Given extends unknown[]> {
  /** Does nothing while it is under way. */
  readonly run: (...given: Given) => void
  readonly isBusy: boolean
  /** Why the last try failed. */
  readonly problem: Problem | undefined
  /** Forgets the last problem, as when a dialog is opened anew. */
  readonly reset: () => void
}

/**
 * Something that changes the system, at most once at a time: a double click's second one comes before the button is drawn
 * as disabled, so it is not the button that holds it off. It is never tried again by itself.
 */
export function useAction<Given extends unknown[]>(
  work: (...given: Given) => Promise<unknown>,
): Action<Given> {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const isRunning = useRef(false)
  const current = useRef(work)
  current.current = work
  const run = useCallback(async (...given: Given) => {
    if (isRunning.current) return
    isRunning.current = true
    setBusy(true)
    setProblem(undefined)
    try {
      await current.current(...given)
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      isRunning.current = false
      setBusy(false)
    }
  }, [])
  const reset = useCallback(() => setProblem(undefined), [])
  return { run: (...given) => void run(...given), isBusy, problem, reset }
}
