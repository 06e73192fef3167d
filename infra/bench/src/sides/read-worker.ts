/** Reads a topic from its beginning, as pages or in one stream, and checks that it got all of it. */
import type { Dispatcher, Pool } from 'undici'
import { openPool } from '../load/pool.ts'
import { serve } from '../load/worker.ts'
import type { ReadRun } from './read.ts'

const pageEvents = 1_000

serve<ReadRun>(async ({ url, topic, events, as }) => {
  await using pool = openPool(url, 1)
  const startedAt = performance.now()
  const seq = as === 'pages' ? await readPages(pool, topic) : await readLines(pool, topic, events)
  const seconds = (performance.now() - startedAt) / 1_000
  if (seq !== events) throw new Error(`the last event is ${seq} of ${events}`)
  return { seconds }
})

/** Page after page, as the Link header says. Returns the last seq. */
async function readPages(pool: Pool, topic: string): Promise<number> {
  let path: string | undefined = `/events?topic=${topic}&after=0&limit=${pageEvents}`
  let last = ''
  while (path !== undefined) {
    const { headers, body } = await get(pool, path)
    last = await body.text()
    path = nextPath(path, String(headers.link ?? ''))
  }
  return (JSON.parse(last) as { seq: number }[]).at(-1)?.seq ?? 0
}

/** The link is relative to the page that it came with (RFC 8288). */
function nextPath(path: string, link: string): string | undefined {
  const target = /^<([^>]+)>; rel="next"$/.exec(link)?.[1]
  if (target === undefined) return undefined
  const { pathname, search } = new URL(target, `http://gateway${path}`)
  return `${pathname}${search}`
}

/** All of it as lines of JSON. Returns the last seq. */
async function readLines(pool: Pool, topic: string, events: number): Promise<number> {
  const { body } = await get(pool, `/events?topic=${topic}&after=0`, { accept: 'application/x-ndjson' })
  let last = Buffer.alloc(0)
  let lines = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
    // The last line may come in two pieces; no event here is as long.
    last = Buffer.concat([last.subarray(-1_024), chunk.subarray(-1_024)])
  }
  if (lines !== events) throw new Error(`${lines} lines came of ${events}`)
  return (JSON.parse(last.toString().trimEnd().split('\n').at(-1) ?? '') as { seq: number }).seq
}

async function get(
  pool: Pool,
  path: string,
  headers: Record<string, string> = {},
): Promise<Dispatcher.ResponseData> {
  const answer = await pool.request({ path, method: 'GET', headers })
  if (answer.statusCode !== 200) throw new Error(`GET ${path} answered ${answer.statusCode}`)
  return answer
}
