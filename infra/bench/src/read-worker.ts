/** Reads a topic from its beginning, page after page as the Link header says, and checks that it got to the end. */
import type { Dispatcher } from 'undici'
import { openPool } from './pool.ts'
import type { ReadRun } from './rows/read.ts'
import { serve } from './worker.ts'

const pageEvents = 1_000

serve<ReadRun>(async ({ url, topic, events }) => {
  await using pool = openPool(url, 1)
  const startedAt = performance.now()
  let path: string | undefined = `/events?topic=${topic}&after=0&limit=${pageEvents}`
  let last = ''
  while (path !== undefined) {
    const { statusCode, headers, body }: Dispatcher.ResponseData = await pool.request({ path, method: 'GET' })
    last = await body.text()
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}`)
    path = /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1]
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const { seq } = (JSON.parse(last) as { seq: number }[]).at(-1) ?? { seq: 0 }
  if (seq !== events) throw new Error(`the last page ends with ${seq} of ${events}`)
  return { seconds }
})
