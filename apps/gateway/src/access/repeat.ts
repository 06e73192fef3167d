/** What is done again and again until whoever began it is disposed of. */
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Does `work` every `ms`, and waits for it: never twice at a time. It must not reject. Nothing keeps the process alive for
 * it. Disposing waits for what is under way.
 */
export function repeat(ms: number, work: () => Promise<void>): AsyncDisposable {
  const closing = new AbortController()
  const { signal } = closing

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined) // only the signal rejects it
      if (!signal.aborted) await work()
    }
  }
  const over = run()

  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await over
    },
  }
}
