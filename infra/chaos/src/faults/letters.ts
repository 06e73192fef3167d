/**
 * A redrive whose gateway is killed in the middle of it.
 *
 * Threatens: exactly once (what was appended before the kill must not be stored twice), conservation, "it comes back by
 * itself": another gateway must take the redrive over where it stood. What becomes a dead letter meanwhile must not be in it.
 */
import { until } from '../clock.ts'
import { defineFault, type FaultContext, insist, PromiseBroken } from '../fault.ts'

type Context = FaultContext<'extras' | 'keys' | 'sql'>

const letters = 400
const rate = 100
const settleMs = 30_000
/** The lease of the killed one runs out after 10 s, and gateways look every few seconds. */
const takenOverMs = 15_000
const constraint = 'chaos_redrive'

interface Operation {
  readonly id: number
  readonly state: string
  readonly done: number
}

const redriveKilled = defineFault({
  name: 'redrive-killed',
  about: `kill -9 of the gateway that redrives ${letters} dead letters, in the middle; one more comes meanwhile`,
  needs: ['extras', 'keys', 'sql'],
  alone: true,
  async run(context, signal) {
    const { target, random, report } = context
    const topic = `redrive.${random.int(0, 999_999_999)}`
    const gateway = await target.extras.startGateway({})
    const own = askingAt(context, gateway.url, signal)
    const other = askingAt(context, target.quietUrl, signal)
    try {
      await makeDead(context, topic, letters, own, signal)
      const filter = { topic }
      const counted = await own('/dead-letters/redrive', { filter, dry_run: true })
      const { matched: expect, as_of } = counted as { readonly matched: number; readonly as_of: string }
      if (expect !== letters) throw new PromiseBroken(`${expect} of ${letters} dead letters are open`)
      const { id } = (await own('/dead-letters/redrive', { filter, as_of, expect, rate })) as Operation
      const now = async () => (await other(`/operations/${id}`)) as Operation
      const isUnderWay = async () => (await now()).done > random.int(1, letters / 2)
      if (!(await until(isUnderWay, settleMs, signal))) throw new PromiseBroken('a redrive does not begin')
      gateway.signal('SIGKILL')
      await gateway.exited
      const killedAt = performance.now()
      const { done: doneBefore } = await now()
      await makeDead(context, topic, 1, other, signal)
      const goesOn = async () => (await now()).done > doneBefore
      if (!(await until(goesOn, takenOverMs, signal))) throw new PromiseBroken('nobody takes a redrive over')
      report(
        `a redrive goes on after ${((performance.now() - killedAt) / 1_000).toFixed(1)} s, from ${doneBefore}`,
      )
      const isDone = async () => (await now()).state === 'done'
      if (!(await until(isDone, settleMs, signal))) throw new PromiseBroken('a redrive does not end')
      await judge(context, topic, signal)
    } finally {
      gateway.signal('SIGKILL')
      await gateway.exited
    }
  },
})

type Ask = (path: string, body?: object) => Promise<unknown>

/** Requests with the key of the load. Rejects unless the answer is a success. */
const askingAt =
  ({ target: { keys } }: Context, url: string, signal: AbortSignal): Ask =>
  async (path, body) => {
    const headers = { authorization: `Bearer ${keys.now()}`, 'content-type': 'application/json' }
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(url + path, { headers, signal, ...request })
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`)
    return await response.json()
  }

/** Publishes what PostgreSQL refuses for a while. */
async function makeDead(
  { target: { sql } }: Context,
  topic: string,
  count: number,
  ask: Ask,
  signal: AbortSignal,
) {
  const isTopic = `topic_id = (SELECT id FROM topics WHERE name = '${topic}')`
  const events = Array.from({ length: count }, (_, n) => ({
    topic,
    event_id: `${count}-${n}`,
    timestamp: '2026-01-01T00:00:00Z',
    source: 's',
    payload: { redriven: topic },
  }))
  const dead = async () =>
    Number((await sql.rows(`SELECT count(*) FROM dead_letters WHERE ${isTopic}`))[0]?.count)
  const before = await dead()
  await sql.rows(
    `ALTER TABLE events ADD CONSTRAINT ${constraint} CHECK (source <> 's' OR event_id !~ '^${count}-') NOT VALID`,
  )
  try {
    await ask('/publish', events)
    const areDead = async () => (await dead()) === before + count
    if (!(await until(areDead, settleMs, signal)))
      throw new Error('what PostgreSQL refuses does not become dead')
  } finally {
    await insist(() => sql.rows(`ALTER TABLE events DROP CONSTRAINT IF EXISTS ${constraint}`))
  }
}

/** Each is stored once, whatever was appended, and the one that came later is still open. */
async function judge({ target: { sql } }: Context, topic: string, signal: AbortSignal): Promise<void> {
  const found = async () =>
    (
      await sql.rows(`
        SELECT t.head AS stored, t.dead, (SELECT count(*) FROM dead_letters d WHERE d.topic_id = t.id AND NOT EXISTS (
          SELECT FROM operations.settled s WHERE s.kind = 'entry' AND s.letter = d.id)) AS open
        FROM topics t WHERE t.name = '${topic}'`)
    )[0]
  const wanted = JSON.stringify({ stored: `${letters}`, dead: `${letters + 1}`, open: '1' })
  const isRight = async () => JSON.stringify(await found()) === wanted
  if ((await until(isRight, settleMs, signal)) || signal.aborted) return
  throw new PromiseBroken(`a redrive left ${JSON.stringify(await found())} instead of ${wanted}`)
}

export const letterFaults = [redriveKilled]
