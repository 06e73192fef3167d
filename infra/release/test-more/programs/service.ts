/** A service as one is written with the SDK. The test restarts the gateway when it says `tailing`. */
import process from 'node:process'
import { createClient, Invalid, Refused, SekaliError, type TailedEvent } from '@sekali/client'
import { createOperator } from '@sekali/client/operate'
import { createWorker, LeaseLost } from '@sekali/client/work'

interface Order {
  readonly total: number
}

const topic = process.argv[2] ?? 'orders'
const sekali = createClient({ retry: { totalMs: 30_000 } }) // at SEKALI_URL
const timestamp = new Date().toISOString() // of all, so that a repeat is one
const order = (n: number, source = 'shop') => {
  const payload: Order = { total: n }
  return { topic, event_id: `order-${n}`, timestamp, source, payload }
}
const check = (isRight: boolean, what: string) => {
  if (!isRight) throw new Error(`not so: ${what}`)
}

await sekali.waitUntilReady({ deadlineMs: 30_000 })
const first = await sekali.publish(order(1), { waitSeconds: 30 })
check(first.status === 'stored' && first.seq === 1, `the first event is stored, not ${first.status}`)
const again = await sekali.publish(order(1), { waitSeconds: 30 })
check(again.status !== 'queued' && again.seq === 1, 'a repeat is known')

const batcher = sekali.batcher()
const outcomes = await Promise.allSettled(
  Array.from({ length: 99 }, (_, n) => batcher.publish(order(n + 2, n === 50 ? '' : 'shop'))),
)
const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
check(failures.length === 1 && failures[0]?.reason instanceof Invalid, 'one of a batch is refused alone')
check(failures[0]?.reason.name === 'Invalid', 'an error has its name')
await batcher.close()
await batcher[Symbol.asyncDispose]()

const nan = await sekali.publish(order(Number.NaN)).catch((error: unknown) => error)
check(nan instanceof Invalid && nan.message.startsWith('payload.total '), 'NaN is refused with its path')
const long = `{"topic":"${topic}","event_id":"long","timestamp":"2025-12-08T10:00:00Z","source":"a","payload":{"n":9007199254740993}}`
const batch = await sekali.publishBatch([long], { waitSeconds: 30 })
check(batch.receipts?.[0]?.seq === 100, 'a batch has its receipts')

const seqs: number[] = []
let sum = 0
const take = ({ seq, payload }: TailedEvent<Order>) => {
  seqs.push(seq)
  sum += payload.total ?? 0
}
let later: Promise<unknown> | undefined
for await (const event of sekali.tail<Order>({ topic, from: 'start' })) {
  take(event)
  if (seqs.length === 100) {
    process.stdout.write('tailing\n')
    later = sekali.publishAll(Array.from({ length: 50 }, (_, n) => order(n + 1_000)))
  }
  if (seqs.length === 150) break
}
await later
check(
  seqs.every((seq, index) => seq === index + 1),
  'nothing is missing and nothing comes twice',
)
check(sum > 1_000, 'payloads come as well')

const texts: string[] = []
for await (const text of sekali.replayText({ topic, after: 99, limit: 1 })) texts.push(text)
check(texts.length === 1 && String(texts[0]).includes('9007199254740993'), 'a text has all digits')
let replayed = 0
for await (const { payload } of sekali.replay<Order>({ topic })) replayed += payload ? 1 : 0
check(replayed === 150, 'a replay has them all')
const receipt = await sekali.receipt<Order>(topic, 'order-1000')
check(receipt.status === 'stored' && receipt.event.payload.total === 1_000, 'a receipt has the event')

const operator = createOperator({ retry: { totalMs: 30_000 } })
const unknown = await operator.letter('e-999999999').catch((error: unknown) => error)
check(unknown instanceof Refused && unknown.code === 'unknown_letter', 'both doors throw the same classes')
check((await operator.countRedrive({ topic })).matched === 0, 'nothing is to be redriven')
for await (const { id } of operator.letters({ topic })) check(false, `there is no letter ${id}`)

await operator.putSubscription(`work-${topic}`, { topics: topic, from: 'start' })
const worker = createWorker({ retry: { totalMs: 30_000 } })
const worked = new Set<number>()
const stopping = new AbortController()
await worker.work<Order>(`work-${topic}`, { concurrency: 20, signal: stopping.signal }, async ({ event }) => {
  worked.add(event.seq)
  check(event.topic === topic, 'a job has the event')
  if (worked.size === 150) stopping.abort()
})
check((await operator.subscription(`work-${topic}`)).lag === 0, 'all events are worked off')
check(new LeaseLost('') instanceof SekaliError, 'what workers throw is of the first door, too')
process.stdout.write('done\n')
