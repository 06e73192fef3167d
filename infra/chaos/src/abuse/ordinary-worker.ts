/**
 * The ordinary client: a process of its own, so that what it measures is not the judge's own slowness. It publishes,
 * reads and follows a topic of its own at a steady rate, and reports each operation to its parent. Reads come on a
 * connection of their own each, because who has one open already does not notice that nobody else gets in.
 *
 * `node ordinary-worker.ts URL`; the message `finish` ends it once all that was begun has ended.
 */
import { Agent, type RequestOptions, request } from 'node:http'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Operation, Sample } from '../check/abuse-verdict.ts'
import { pause } from '../clock.ts'

const [url = ''] = process.argv.slice(2)
const topic = 'abuse.ordinary'
/** Of each kind of operation a hundred and more in an attack, so that the worst of them is not all that p99 tells. */
const everyMs = 20
/** Every other publish waits until its event is stored. */
const waitsEvery = 2
const giveUpMs = 10_000

const { SEKALI_TOKEN: key } = process.env
const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
const run = `o${Date.now().toString(36)}`
const agent = new Agent({ keepAlive: true })
const nowMs = () => performance.timeOrigin + performance.now()
const stopping = new AbortController()
const expected = new Map<string, number>()
let cursor = ''

process.once('disconnect', () => process.exit(0))
process.once('message', () => stopping.abort())
void follow()
await untilFollowed()
const begun: Promise<void>[] = []
for (let n = 1, due = nowMs(); !stopping.signal.aborted; n++, due += everyMs) {
  await pause(due - nowMs(), stopping.signal)
  begun.push(n % 2 === 0 ? read(due) : publish(n, due))
}
await Promise.all(begun)
for (const endsAt = nowMs() + giveUpMs; expected.size > 0 && nowMs() < endsAt; ) await pause(50)
for (const at of expected.values()) report('tail', at, 'never')
process.send?.('done', () => process.exit(0))

function report(operation: Operation, at: number, refusal?: string): void {
  const sample: Sample = { operation, at, ms: nowMs() - at, refusal }
  process.send?.(sample)
}

async function publish(n: number, due: number): Promise<void> {
  const id = `${run}-${n}`
  const waits = (n - 1) % (2 * waitsEvery) === 0
  const payload = `{"n":${n}}`
  const body = `{"topic":"${topic}","event_id":"${id}","timestamp":"2026-01-01T00:00:00Z","source":"${run}","payload":${payload}}`
  const headers = { 'content-type': 'application/json', ...(waits ? { prefer: 'wait=5' } : {}) }
  expected.set(id, due)
  const refusal = await send({ method: 'POST', path: '/publish', headers, agent }, body)
  // What was not accepted need not come out of the tail either.
  if (refusal !== undefined) expected.delete(id)
  report(waits ? 'wait' : 'publish', due, refusal)
}

async function read(due: number): Promise<void> {
  report('read', due, await send({ path: `/events?topic=${topic}&limit=20`, agent: false }))
}

/** Undefined when the answer is a yes, otherwise what came instead. */
async function send(options: RequestOptions, body = ''): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const outgoing = request(
    url,
    { ...options, headers: { ...authorization, ...options.headers }, signal: AbortSignal.timeout(giveUpMs) },
    (answer) => {
      answer.once('error', () => resolve('cut off'))
      // 202 says that it is accepted, and waited for in vain: that took its time, which is what is measured.
      const { statusCode = 0 } = answer
      answer.once('end', () =>
        resolve(statusCode === 200 || statusCode === 202 ? undefined : String(statusCode)),
      )
      answer.resume()
    },
  )
  outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name))
  outgoing.end(body)
  return await promise
}

/** Follows the topic, again and again from where it was, as an EventSource does. */
async function follow(): Promise<never> {
  for (;;) {
    await followOnce().catch(() => undefined)
    await pause(100)
  }
}

async function followOnce(): Promise<void> {
  const headers = { ...authorization, ...(cursor === '' ? {} : { 'last-event-id': cursor }) }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const outgoing = request(`${url}/tail?topic=${topic}&from=now`, { headers, agent: false }, (answer) => {
    answer.once('error', reject).once('close', resolve)
    createInterface({ input: answer }).on('line', onLine)
  })
  outgoing.once('error', reject)
  outgoing.end()
  await promise
}

function onLine(line: string): void {
  if (line.startsWith('id: ')) cursor = line.slice(4)
  if (!line.startsWith('data: ')) return
  const { event_id: id } = JSON.parse(line.slice(6)) as { event_id: string }
  const at = expected.get(id)
  if (at === undefined) return
  expected.delete(id)
  report('tail', at)
}

async function untilFollowed(): Promise<void> {
  // The topic must be there before somebody takes the last place for one.
  while (cursor === '' && !stopping.signal.aborted) {
    await publish(0, nowMs()).catch(() => undefined)
    await pause(100)
  }
  expected.clear()
}
