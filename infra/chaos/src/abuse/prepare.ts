// What attacks need to find: topics, a long log, and many topics that nobody uses any more.

import { type Door, openDoor } from '../clients/door.ts'
import { until } from '../clock.ts'
import type { FaultContext } from '../fault.ts'
import type { SqlAccess } from '../targets/target.ts'
import { arrayOf, eventOf, history } from './attack.ts'

const conflictTopics = Array.from({ length: 8 }, (_, n) => `abuse.conflicts.${n}`)
const topics = ['abuse.ordinary', 'abuse.waits', 'abuse.lookups', ...conflictTopics]
const historyBatches = 4
const batchEvents = 500
const payload = `{"fill":"${'x'.repeat(4_000)}"}`

/**
 * Topics of the attacks and of the ordinary client, made before an attack takes all room for topics there is; and 8 MB
 * of log. Again and again the same events, so that a second time changes nothing.
 */
export async function prepareTopics(door: Door): Promise<void> {
  await publish(
    door,
    arrayOf(topics.length, (n) => eventOf(String(topics[n]), 'first')),
  )
  for (let batch = 0; batch < historyBatches; batch++) {
    await publish(
      door,
      arrayOf(batchEvents, (n) => eventOf(history, `h${batch}-${n}`, payload)),
    )
  }
}

const groups = 260
const each = 100
const idleTopics = groups * each

/** Names of 26,000 topics without an event, as a client leaves them that named them and never came back. */
export async function insertIdleTopics({
  target: { sql },
}: Pick<FaultContext<'sql'>, 'target'>): Promise<void> {
  await sql.rows(`INSERT INTO topics (name)
    SELECT format('idle.a%s.b%s', a, b) FROM generate_series(0, ${groups - 1}) a, generate_series(0, ${each - 1}) b
    ON CONFLICT DO NOTHING`)
}

const batchTopics = 1_000
const storedMs = 300_000

/** 26,000 topics with an event each, published through a gateway of their own that lets so many in. */
export async function publishIdleTopics({
  target,
  report,
}: Pick<FaultContext<'extras' | 'sql'>, 'target' | 'report'>): Promise<void> {
  if ((await countStored(target.sql)) >= idleTopics) return
  report(`making ${idleTopics} idle topics`)
  const limits = { TOPICS_MAX: '1000000', NEW_TOPICS_BURST: '1000000', NEW_TOPICS_PER_SECOND: '1000000' }
  const gateway = await target.extras.startGateway(limits)
  try {
    await using door = openDoor(gateway.url, 1, target.keyNow)
    for (let at = 0; at < idleTopics; at += batchTopics) {
      const body = arrayOf(batchTopics, (n) => eventOf(`spent.${at + n}`, 'only'))
      await publish(door, body)
    }
  } finally {
    gateway.signal('SIGTERM')
    await gateway.exited
  }
  const areStored = async () => (await countStored(target.sql)) >= idleTopics
  if (!(await until(areStored, storedMs))) throw new Error(`${idleTopics} topics were not stored in time`)
}

async function countStored(sql: SqlAccess): Promise<number> {
  const [row] = await sql.rows("SELECT count(*) AS n FROM topics WHERE name LIKE 'spent.%' AND head > 0")
  return Number(row?.n)
}

const acceptedMs = 60_000

/** Again and again: what an earlier attack has left may still be in the way. */
async function publish(door: Door, body: string): Promise<void> {
  let said = 'nothing'
  const isAccepted = async () => {
    const answer = await door.post('/publish', body)
    said = `${answer.status}: ${answer.body.slice(0, 200)}`
    return answer.status === 200
  }
  if (!(await until(isAccepted, acceptedMs))) throw new Error(`what the attack needs was answered ${said}`)
}
