import { ServerFailed } from '@sekali/servers/errors'
import { waitUntil } from '@sekali/servers/wait-until'
import { lastWords } from './last-words.ts'

const readyMs = 30_000
const answerMs = 2_000

/**
 * Waits until the gateway is ready for events. Throws {@link ServerFailed} with its last answer, if it does not get ready, and
 * with its last words. Those of this run begin at the byte `logStart`.
 */
export async function waitReady(
  url: string,
  logFile: string,
  signal?: AbortSignal,
  logStart = 0,
): Promise<void> {
  let said = 'nothing at all'
  const isReady = async () => {
    const answer = await call(`${url}/readyz`)
    if (answer !== undefined) said = `${answer.status} ${answer.body}`
    return answer?.status === 200
  }
  if (await waitUntil(isReady, readyMs, { signal })) return
  signal?.throwIfAborted()
  const words = await lastWords(logFile, logStart)
  throw new ServerFailed(
    `${url}/readyz did not become 200; it said ${said}. The gateway's last words:\n${words}`,
  )
}

async function call(url: string): Promise<{ status: number; body: string } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) })
    return { status: response.status, body: await response.text() }
  } catch {
    return undefined // nobody listens yet
  }
}
