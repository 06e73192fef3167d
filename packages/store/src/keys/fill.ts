/**
 * Gives the events of a version before their keys and tags, topic by topic, a span in a transaction, which also says how far
 * it has come: whenever it is killed, the next run goes on there. Consumers go on meanwhile; their events come with keys.
 *
 * Each event is written anew, so the table would double. Vacuum comes now and then to make room of what was there before.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { pepperIn } from './pepper.ts'
import { vacuumShare } from './state.ts'

/** Events of a transaction. */
const spanEvents = 1_024
/** Below that vacuum is not worth a look at all the indexes. */
const vacuumEventsMin = 100_000
/** How long it rests between two spans, as a share of the time that a span took: turns need the disk as well. */
const restShare = 0.25

const begin = 'BEGIN; SET LOCAL synchronous_commit = off' // what a crash undoes is done again

const fill = `
  UPDATE events SET
    event_key = event_key((SELECT pepper FROM installation), topic_id, event_id),
    content_tag = content_tag((SELECT pepper FROM installation), 'bytes', source, payload::text)
  WHERE topic_id = $1 AND seq > $2 AND seq <= $3 AND event_key IS NULL`

/**
 * Resolves once no event is left, or `signal` is aborted. `onFilled` gets how many have got keys since the last call. Rejects
 * with what pg throws, or with `StoreUnavailable` where there is no pepper.
 */
export async function fillKeys(
  client: pg.PoolClient,
  events: number,
  onFilled: (filled: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const installation = await client.query<{ pepper: Buffer }>('SELECT pepper FROM installation')
  pepperIn(installation.rows[0]?.pepper) // without it all keys would be NULL
  const vacuumAfter = Math.max(vacuumEventsMin, events * vacuumShare)
  let sinceVacuum = 0
  for (;;) {
    const { rows } = await client.query<{ topic_id: number; seq: string; up_to: string }>(
      'SELECT topic_id, seq, up_to FROM key_upgrade ORDER BY topic_id LIMIT 1',
    )
    const [topic] = rows
    if (topic === undefined) break
    for (let seq = Number(topic.seq); seq < Number(topic.up_to); ) {
      if (signal.aborted) return
      const startedAt = performance.now()
      const upTo = Math.min(seq + spanEvents, Number(topic.up_to))
      await fillSpan(client, topic.topic_id, seq, upTo)
      onFilled(upTo - seq)
      sinceVacuum += upTo - seq
      seq = upTo
      if (sinceVacuum >= vacuumAfter) {
        await vacuum(client)
        sinceVacuum = 0
      }
      await sleep((performance.now() - startedAt) * restShare)
    }
    await client.query('DELETE FROM key_upgrade WHERE topic_id = $1 AND seq >= up_to', [topic.topic_id])
  }
  if (sinceVacuum > 0) await vacuum(client)
}

async function fillSpan(client: pg.PoolClient, topicId: number, seq: number, upTo: number): Promise<void> {
  await client.query(begin)
  await client.query({ name: 'fill_keys', text: fill, values: [topicId, seq, upTo] })
  await client.query('UPDATE key_upgrade SET seq = $2 WHERE topic_id = $1', [topicId, upTo])
  await client.query('COMMIT')
}

/** TRUNCATE would lock out readers. */
const vacuum = (client: pg.PoolClient) => client.query('VACUUM (TRUNCATE false) events')
