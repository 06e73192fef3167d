import { setTimeout as pause } from 'node:timers/promises'

/** Asks for metrics again and again, as Prometheus does. Disposing waits for what is under way. */
export function startScraper(urls: readonly string[], everyMs: number): AsyncDisposable {
  const ending = new AbortController()
  const scrape = async (url: string) => {
    while (!ending.signal.aborted) {
      const answer = await fetch(url)
      await answer.text()
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
      await pause(everyMs, undefined, { signal: ending.signal }).catch(() => undefined)
    }
  }
  const all = Promise.all(urls.map(scrape))
  all.catch(() => undefined) // disposing rejects with it
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await all
    },
  }
}
