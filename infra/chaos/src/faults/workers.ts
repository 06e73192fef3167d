/**
 * Workers that die, or stand still for longer than they may have what they pulled.
 *
 * Threatens: that each event is settled by somebody (what a dead worker had must go to others), that floors stay before what is
 * not settled, and the lease: who wakes and acknowledges what others have been given since must be told so, and nothing
 * may change by it. What workers note is judged at the end.
 */
import { until } from '../clock.ts'
import { defineFault, type Fault, insist, PromiseBroken } from '../fault.ts'
import { leaseSeconds, type Plan } from '../workers/plan.ts'
import { pickWorker, type Worker } from '../workers/workers.ts'
import { type Ask, askingOf } from './ask.ts'

const killWorker = defineFault({
  name: 'kill-worker',
  about: 'kill -9 of a worker with what it has pulled, at a random moment; another one follows',
  needs: [],
  async run({ workers, random, pause }, signal) {
    const victim = pickWorker(workers, random)
    const before = victim.progress()
    await until(() => victim.progress() > before, giveUpMs, signal)
    await pause(random.int(0, 60))
    victim.signal('SIGKILL')
    await victim.exited
  },
})

const giveUpMs = 10_000
const events = 20
/** So long it is at work when it has pulled: it must be stopped in that time. */
const workMs = [1_500, 1_500] as const
const regrantMs = 20_000

const pauseWorker = defineFault({
  name: 'pause-worker',
  about:
    'SIGSTOP of two workers past their leases, then SIGCONT; of one others have what it had: its acknowledgement is lease_lost',
  needs: [],
  // Who stalls PostgreSQL meanwhile would be taken for what is broken.
  alone: true,
  async run(context, signal) {
    const { workers, random, topics, pause, report } = context
    const sleeper = pickWorker(workers, random)
    const name = `${topics[0]}.paused-${random.int(0, 999_999_999)}`
    const ask = askingOf(context)
    const config = {
      topics: topics[0],
      from: 'start',
      lease_s: leaseSeconds,
      outstanding_max: events,
      deliveries_max: 100,
      backoff_s: [],
    }
    await insist(() => ask('PUT', `/subscriptions/${name}`, config))
    const plan: Plan = { name, config, isOrdered: false, refuses: false, max: events }
    const late = workers.start({ plans: [plan], workMs })
    try {
      sleeper.signal('SIGSTOP')
      await Promise.all([
        pause(pausedMs),
        stopAtWork(late, signal).then(() => judgeLate({ late, name, ask, report }, signal)),
      ])
    } finally {
      sleeper.signal('SIGCONT')
      late.signal('SIGKILL')
      await late.exited
      await insist(() => ask('DELETE', `/subscriptions/${name}`))
    }
  },
})

const pausedMs = (leaseSeconds + 1) * 1_000

/** Stops it between its pull and its settle. Throws when it gets nothing. */
async function stopAtWork(late: Worker, signal: AbortSignal): Promise<void> {
  const hasPulled = () => late.notes().some(({ kind }) => kind === 'got')
  if (!(await until(hasPulled, giveUpMs, signal))) throw new Error('a worker gets nothing')
  late.signal('SIGSTOP')
  if (late.notes().some(({ kind }) => kind === 'asked')) throw new Error('a worker was stopped too late')
}

interface Late {
  readonly late: Worker
  readonly name: string
  readonly ask: Ask
  readonly report: (what: string) => void
}

/** Takes what the stopped one had, wakes it, and holds what it is answered against that. */
async function judgeLate({ late, name, ask, report }: Late, signal: AbortSignal): Promise<void> {
  const [got] = late.notes().filter((note) => note.kind === 'got')
  const had = new Set(got?.items.map(({ topic, seq }) => `${topic} ${seq}`))
  const mine = new Map<string, string>()
  const hasAll = async () => {
    const pulled = (await ask('POST', `/subscriptions/${name}/pull`, { max: events })) as Pulled | undefined
    for (const { token, event } of pulled?.items ?? []) mine.set(`${event.topic} ${event.seq}`, token)
    return [...had].every((one) => mine.has(one))
  }
  if (!(await until(hasAll, regrantMs, signal)))
    throw new PromiseBroken('nobody gets what a stopped worker had')
  // So that what was taken first is not over before the other one is awake.
  const items = [...mine.values()].map((token) => ({ token, do: 'extend', delay_s: 60 }))
  if (!(await all(ask, name, items, 'done')))
    throw new PromiseBroken('what was just pulled cannot be extended')
  const { outstanding: before } = (await ask('GET', `/subscriptions/${name}`)) as Status
  late.signal('SIGCONT')
  const answers = () => late.notes().filter((note) => note.kind === 'told')
  if (!(await until(() => answers().length > 0, giveUpMs, signal)))
    throw new Error('a woken worker is not answered')
  const results = answers().flatMap((note) => note.items)
  const other = results.find(({ result }) => result !== 'lease_lost')
  if (other !== undefined) throw new PromiseBroken(`a late acknowledgement was answered ${other.result}`)
  const { outstanding: after } = (await ask('GET', `/subscriptions/${name}`)) as Status
  if (after !== before) throw new PromiseBroken('a late acknowledgement has settled something')
  const acks = [...mine.values()].map((token) => ({ token, do: 'ack' }))
  if (!(await all(ask, name, acks, 'done'))) throw new PromiseBroken('the newest tokens are not good')
  report(`${results.length} late acknowledgements were answered lease_lost`)
}

interface Pulled {
  readonly items: readonly { token: string; event: { readonly topic: string; readonly seq: number } }[]
}

interface Status {
  readonly outstanding: number
}

async function all(ask: Ask, name: string, items: readonly object[], wanted: string): Promise<boolean> {
  const settled = (await ask('POST', `/subscriptions/${name}/settle`, { items })) as {
    readonly items: readonly { readonly result: string }[]
  }
  return settled.items.every(({ result }) => result === wanted)
}

export const workerFaults: readonly Fault[] = [killWorker, pauseWorker]
