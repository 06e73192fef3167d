import { pathOf } from './call.ts'
import { Problem, problemOf } from './problem.ts'

/** A browser holds the file until it is saved. */
export const exportMax = 100_000

/**
 * Reads the events of a query as NDJSON, oldest first, up to {@link exportMax} of them. Rejects if the connection breaks
 * off: a part is never taken for all.
 */
export async function exportLines(
  query: Readonly<Record<string, string | undefined>>,
  onEvents: (count: number) => void,
  signal: AbortSignal,
): Promise<{ readonly file: Blob; readonly events: number }> {
  const response = await fetch(`./${pathOf(['events'], { ...query, limit: exportMax })}`, {
    headers: { Accept: 'application/x-ndjson' },
    signal,
  })
  if (!response.ok || response.body === null) throw problemOf(response.status, await response.text())
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let events = 0
  try {
    for await (const chunk of chunksOf(response.body)) {
      chunks.push(chunk)
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) events += 1
      onEvents(events)
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw new Problem(0, 'broken_off', `the connection broke off after ${events} events: try again`)
  }
  return { file: new Blob(chunks, { type: 'application/x-ndjson' }), events }
}

const newline = 0x0a

async function* chunksOf(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

/** Has the browser save a file. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
