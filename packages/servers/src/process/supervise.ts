// One process that is to run all the time. When it ends by itself it is started again: after 100 ms the first
// time, then after twice as long each time, up to 5 s. After 10 s of health the delay is 100 ms again. A start
// that fails counts as an end. The very first start is different: its failure is thrown to the caller.
import { setTimeout as pause } from 'node:timers/promises'

export interface Runnable {
  readonly pid: number
  readonly exited: Promise<void>
  stop(): Promise<void>
  /** Why it has ended, as far as it has said so itself, in this life and not one before. */
  readonly lastWords?: () => Promise<string | undefined>
}

export interface Supervised<T extends Runnable> extends AsyncDisposable {
  /** Undefined between an end and the next start. */
  current(): T | undefined
  /** Stops it for good. Safe twice. */
  stop(): Promise<void>
}

export interface SuperviseOptions<T extends Runnable> {
  readonly start: () => Promise<T>
  /** Called whenever `current()` has changed; with a reason unless that was asked for. */
  readonly onChange?: (reason?: string) => void
}

const backoffMsMin = 100
const backoffMsMax = 5_000
const healthyMs = 10_000

/** Resolved when it has been started for the first time; rejects when that fails. */
export async function supervise<T extends Runnable>(options: SuperviseOptions<T>): Promise<Supervised<T>> {
  const { start, onChange = () => {} } = options
  const stopping = new AbortController()
  let current: T | undefined = await start()
  onChange()

  const attend = async () => {
    let backoffMs = backoffMsMin
    while (!stopping.signal.aborted) {
      if (current !== undefined) {
        const since = performance.now()
        await current.exited
        const words = await current.lastWords?.()
        current = undefined
        if (stopping.signal.aborted) break
        if (performance.now() - since > healthyMs) backoffMs = backoffMsMin
        const why = words === undefined ? '' : `. Its last words:\n${words}`
        onChange(`ended by itself, next start in ${backoffMs} ms${why}`)
      }
      await pause(backoffMs, undefined, { signal: stopping.signal }).catch(() => {}) // rejects when stopping
      if (stopping.signal.aborted) break
      backoffMs = Math.min(backoffMs * 2, backoffMsMax)
      try {
        current = await start()
        onChange()
      } catch (error) {
        onChange(`could not be started, next try in ${backoffMs} ms: ${(error as Error).message}`)
      }
    }
    await current?.stop() // started while stopping was asked for
  }

  const attended = attend()
  const stop = async () => {
    stopping.abort()
    await current?.stop()
    await attended
    current = undefined
  }
  return { current: () => current, stop, [Symbol.asyncDispose]: stop }
}
