import type { Grant } from '@sekali/core/access'
import { type Bound, isOfTopics } from '@sekali/core/bound'
import { TooManyTopics } from '@sekali/core/errors'
import { eventToJson, type StoredEvent } from '@sekali/core/event'
import type { EpochPlace } from '@sekali/core/fork'
import { limits } from '@sekali/core/limits'
import { parsePattern } from '@sekali/core/pattern'
import { readById } from '@sekali/store/by-id'
import { readNewest, readTopic } from '@sekali/store/read-topic'
import { searchEvents } from '@sekali/store/search'
import type { Context } from 'hono'
import { refusalOfPattern, seesAll } from '../access/may.ts'
import { grantOf } from '../access/principals.ts'
import { accepted } from '../http/accept.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { ReadLog, Source } from '../standby/read-log.ts'
import { nextPage, orderOf, type Page, parsePage } from './query.ts'
import type { Replays } from './replay.ts'
import type { StoreSlots } from './store-slots.ts'

/** GET /events: a page of stored events as a plain array, or all events of the query as a stream of lines. */
export function events(readLog: ReadLog, replays: Replays, slots: StoreSlots) {
  return async (c: Context): Promise<Response> => {
    const query = new URL(c.req.url).searchParams
    const type = accepted(c.req.header('accept'), ['application/json', 'application/x-ndjson'])
    if (type === undefined) return problem('not_acceptable')
    const page = parsePage(query, type === 'application/json' ? limits.pageSizeMax : Number.MAX_SAFE_INTEGER)
    if ('issues' in page) return problem('invalid_parameters', { errors: page.issues })
    const grant = grantOf(c.env?.incoming)
    // An id alone finds what the key may see; all else is of topics that it covers.
    const isById = page.eventId !== undefined && page.topics === undefined
    const refused = isById ? undefined : refusalOfPattern(grant, page.topics)
    if (refused !== undefined) return toResponse(refused)
    if (page.eventId !== undefined && type !== 'application/json') {
      return problem('not_acceptable', { detail: 'With event_id events come as application/json.' })
    }
    if (type === 'application/json') return await slots.run(c, () => showPage(readLog, query, page, grant))
    return await replays.send(c, { ...page, topics: page.topics ?? everything, order: page.order ?? 'asc' })
  }
}

const everything = parsePattern('>')

async function showPage(
  readLog: ReadLog,
  query: URLSearchParams,
  page: Page,
  grant: Grant,
): Promise<Response> {
  // An id is looked for by who knows that its event is there.
  const isEnough = ({ events }: ReadPage) => page.eventId === undefined || events.length > 0
  const { events, next } = await readLog((source) => readPage(source, page, grant), isEnough)
  return reply(200, arrayOf(events), {
    'Content-Type': 'application/json',
    ...(next === undefined ? {} : { Link: `<${nextPage(query, page, next)}>; rel="next"` }),
  })
}

/** An event of a page: a comma and its JSON, in bytes, as a page of strings would be copied once more. */
interface Shown extends EpochPlace {
  readonly json: Buffer
}

const show = (event: StoredEvent): Shown => ({
  epoch: event.epoch ?? 1,
  seq: event.seq,
  json: Buffer.from(`,${eventToJson(event)}`),
})

function arrayOf(events: readonly Shown[]): Uint8Array<ArrayBuffer> {
  if (events.length === 0) return Buffer.from('[]\n')
  const array = Buffer.concat([...events.map(({ json }) => json), Buffer.from(']\n')])
  array.write('[') // over the first comma
  return array
}

interface ReadPage {
  readonly events: readonly Shown[]
  readonly next: Bound | undefined
}

async function readPage({ store, mustReach }: Source, page: Page, grant: Grant): Promise<ReadPage> {
  const { topics, eventId, source, from, to, after, before, limit = limits.pageSizeDefault } = page
  if (eventId !== undefined) {
    const within = seesAll(grant) ? undefined : grant.topics
    const found = await readById(store, { eventId, topics, within, limit })
    return { events: found.map(show), next: undefined }
  }
  const order = orderOf(page)
  const isFiltered = source !== undefined || from !== undefined || to !== undefined
  if (!isFiltered && topics !== undefined && !topics.isPattern) {
    const query = {
      topic: topics.text,
      order,
      limit,
      mustReach,
      ...(after !== undefined && !isOfTopics(after) ? { after } : {}),
      ...(before !== undefined && !isOfTopics(before) ? { before } : {}),
    }
    const { events, more } = await readTopic(store, query, show)
    return { events, next: more ? events.at(-1) : undefined }
  }
  const search = { ...page, topics: topics ?? everything, order, limit, mustReach }
  const found = await searchEvents(store, search).catch(async (error: unknown) => {
    if (!(error instanceof TooManyTopics) || isFiltered || topics || page.order) throw error
    // The newest events can be read of any number of topics; but no cursor can hold where to go on.
    return { events: await readNewest(store, limit), next: undefined }
  })
  const next = topics?.isPattern === false ? found.next?.values().next().value : found.next
  return { events: found.events.map(show), next }
}
