/**
 * The routes of projections. `as_of` and the state are of one moment: the state is the fold of exactly the events up to
 * those seqs. A weak ETag, because it changes with the state and not with `as_of`.
 */
import { listProjections as list, readProjection, readProjectionKey } from '@sekali/api/projections'
import type { Issue } from '@sekali/core/errors'
import type { NotLoaded } from '@sekali/core/not-loaded'
import { type Announcement, orphanedMs, readAnnouncement } from '@sekali/store/announce-projections'
import type { WantsAsOf } from '@sekali/store/as-of'
import type { Store } from '@sekali/store/connect'
import { dropProjection } from '@sekali/store/drop-projection'
import { readNotLoaded } from '@sekali/store/not-loaded'
import {
  type ProjectionError,
  type ProjectionStatus,
  readProjections,
  type Skipped,
} from '@sekali/store/read-projections'
import { readState, readStatesPage, type StatesPage } from '@sekali/store/read-states'
import { requestRebuild } from '@sekali/store/request-rebuild'
import type { Context } from 'hono'
import { byOf } from '../access/by.ts'
import { grantOf } from '../access/principals.ts'
import type { Clients } from '../clients/clients.ts'
import { shareReadings } from '../clients/single-flight.ts'
import { isKnown } from '../http/etag.ts'
import { parseParameters } from '../http/parameters.ts'
import { problem } from '../http/problem.ts'
import { reply } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import { coveredProjections } from './projection-topics.ts'
import type { StoreSlots } from './store-slots.ts'

/**
 * GET /projections: all that the key may see, and how they are; for one that may see all topics behind them the files of
 * definitions that do not load. How they are takes a look at all topics for each. So those who ask together share it, and
 * whoever asks again and again during a rebuild does not keep PostgreSQL from it.
 */
export function listProjections(store: Store, slots: Pick<StoreSlots, 'run'>) {
  let last: Promise<unknown> = Promise.resolve()
  const share = (wantsAsOf: WantsAsOf) =>
    shareReadings(() => {
      // One of the three at a time.
      const reading = last.then(() => readProjections(store, undefined, wantsAsOf))
      last = reading.catch(() => undefined)
      return reading
    })
  const readings = { true: share(true), false: share(false), undefined: share(undefined) }
  return async (c: Context): Promise<Response> => {
    const { values, issues } = parseParameters(new URL(c.req.url).searchParams, list.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    const readOwn = () =>
      Promise.all([readNotLoaded(store), coveredProjections(store, grantOf(c.env?.incoming))])
    // Without a slot: it waits for others. And first: what the key may see is as of later.
    const projections = await readings[`${values.as_of}`]()
    const [files, covered] = await slots.run(c, readOwn)
    const shown =
      covered === undefined
        ? [...projections.map(onTheWire), ...files.map(fileOnTheWire)]
        : projections.filter(({ name }) => covered.has(name)).map(onTheWire)
    return reply(200, JSON.stringify(shown))
  }
}

/**
 * GET /projections/{name}: its state; of one with keys a page of them, in the order of their bytes. With `key` it is
 * the state of that one, also of a key that the path of a URL cannot have: `.` and `..`.
 */
export function showProjection(store: Store) {
  return async (c: Context): Promise<Response> => {
    const name = c.req.param('name') ?? ''
    const query = new URL(c.req.url).searchParams
    if (query.has('key')) return await showKeyOf(c, store, name, query)
    const page = parsePage(query)
    if (Array.isArray(page)) return problem('invalid_parameters', { errors: page })
    const found = isName(name) ? await readStatesPage(store, name, page) : undefined
    if (found === undefined) return problem('unknown_projection')
    return show(c, name, page, found)
  }
}

function show(c: Context, name: string, page: Page, found: StatesPage): Response {
  const { version, status, asOf, epochs, skipped, state, keys, more, tag } = found
  const next = more ? keys.at(-1)?.key : undefined
  const query = new URLSearchParams({ limit: String(page.limit), after: next ?? '' })
  if (page.wantsAsOf !== undefined) query.set('as_of', String(page.wantsAsOf))
  const body = () => {
    const about = { name, version, status, as_of: asOf, epochs, skipped: skippedOnTheWire(skipped), next }
    if (state !== null) return jsonWith(about, 'state', state)
    const list = keys.map(({ key, state }) => jsonWith({ key }, 'state', state))
    return jsonWith(about, 'keys', `[${list.join(',')}]`)
  }
  const link = next === undefined ? {} : { Link: `<?${query}>; rel="next"` }
  return replyTagged(c, `${tag}-${status}`, body, link)
}

/** GET /projections/{name}/{key}: the state of one key. */
export function showKey(store: Store) {
  return async (c: Context): Promise<Response> => {
    const { name = '', key = '' } = c.req.param()
    const query = new URL(c.req.url).searchParams
    const { values, issues } = parseParameters(query, readProjectionKey.request.query)
    if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
    return await showStateOf(c, store, name, key, values.as_of)
  }
}

async function showKeyOf(c: Context, store: Store, name: string, query: URLSearchParams): Promise<Response> {
  const isAlone = [...query.keys()].filter((one) => one !== 'as_of').length === 1
  const { values, issues } = parseParameters(query, { key, as_of })
  if (!isAlone) return problem('invalid_parameters', { errors: [keyIssue] })
  if (values === undefined || issues.length > 0) return problem('invalid_parameters', { errors: issues })
  return await showStateOf(c, store, name, values.key ?? '', values.as_of)
}

/** A key is asked for without a page. */
const { key, ...pageParameters } = readProjection.request.query
const { as_of } = pageParameters
const keyIssue: Issue = { path: 'key', code: 'invalid_key', message: 'must come once, and without a page' }

async function showStateOf(
  c: Context,
  store: Store,
  name: string,
  key: string,
  wantsAsOf: WantsAsOf,
): Promise<Response> {
  const found = isName(name) && isStorable(key) ? await readState(store, name, key, wantsAsOf) : undefined
  if (found === undefined) return problem('unknown_projection')
  const { asOf, epochs, state, tag } = found
  // The empty key is how the store has the state of a projection without keys.
  if (state === null || key === '') return problem('unknown_key')
  return replyTagged(c, tag, () => jsonWith({ name, key, as_of: asOf, epochs }, 'state', state))
}

interface ChangeDeps {
  readonly store: Store
  readonly clients: Clients
}

/** POST /projections/{name}/rebuild: fold it anew, beside what is on show. */
export function rebuild({ store, clients }: ChangeDeps): Handler {
  return async (c) => {
    const name = c.req.param('name') ?? ''
    const found = isName(name) && (await requestRebuild(store, name, byOf(c.env?.incoming, clients)))
    if (!found) return problem('unknown_projection')
    return reply(202, JSON.stringify({ status: 'building', name }), {
      'Content-Type': 'application/json',
      Location: `../${name}`, // relative, for a proxy may have put a prefix before the path
    })
  }
}

/** DELETE /projections/{name}: forget what nobody folds any more. */
export function drop({ store, clients }: ChangeDeps): Handler {
  return async (c) => {
    const name = c.req.param('name') ?? ''
    const by = byOf(c.env?.incoming, clients)
    const outcome = isName(name) ? await dropProjection(store, name, by) : 'unknown'
    if (outcome === 'unknown') return problem('unknown_projection')
    if (outcome === 'folded') return inUse(await readAnnouncement(store, name))
    return reply(200, JSON.stringify({ status: 'dropped', name }))
  }
}

function inUse({ agoMs, orphanedInMs }: Announcement): Response {
  const seconds = Math.max(1, Math.ceil(orphanedInMs / 1_000))
  const detail =
    `A projector folds it, or did ${Math.floor(agoMs / 1_000)} s ago. Take its definition away from all projectors: it can be ` +
    `dropped ${orphanedMs / 1_000} s after the last of them has had it, in ${seconds} s at the earliest.`
  return problem('projection_in_use', { detail, headers: { 'Retry-After': String(seconds) } })
}

const isName = (text: string): boolean => /^[\w-]{1,64}$/.test(text)
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

function onTheWire({ asOf, error, skipped, rebuild, ...status }: ProjectionStatus) {
  const { name, version, keyed, epochs, astray, lag } = status
  return {
    name,
    version,
    status: status.status,
    keyed,
    as_of: asOf,
    epochs,
    astray,
    lag,
    error: error && errorOnTheWire(error),
    skipped: skippedOnTheWire(skipped),
    rebuild: rebuild && {
      ...rebuild,
      error: rebuild.error && errorOnTheWire(rebuild.error),
      skipped: skippedOnTheWire(rebuild.skipped),
    },
  }
}

/** In the form of a projection, which it is not: its name is that of the file, which has a dot and no state. */
const fileOnTheWire = ({ file, line, message }: NotLoaded) => ({
  name: file,
  version: 0,
  status: 'not_loaded',
  keyed: false,
  as_of: null,
  lag: 0,
  error: { file, line: line ?? undefined, message },
})

const errorOnTheWire = ({ eventId, ...where }: ProjectionError) => ({ ...where, event_id: eventId })

const skippedOnTheWire = (skipped: Skipped | undefined) =>
  skipped && { count: skipped.count, last: errorOnTheWire(skipped.last) }

function replyTagged(
  c: Context,
  tag: string,
  body: () => string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const etag = `W/"${tag}"`
  if (isKnown(c.req.header('if-none-match'), tag)) return reply(304, null, { ...headers, ETag: etag })
  return reply(200, body(), { ...headers, 'Content-Type': 'application/json', ETag: etag })
}

/** By concatenation, because a state's text must not be parsed and printed: it may have big numbers. */
const jsonWith = (fields: object, name: string, json: string): string => {
  const head = JSON.stringify(fields).slice(0, -1)
  return `${head}${head === '{' ? '' : ','}${JSON.stringify(name)}:${json}}`
}

interface Page {
  readonly limit: number
  readonly after: string
  readonly wantsAsOf: WantsAsOf
}

function parsePage(query: URLSearchParams): Page | Issue[] {
  const { values, issues } = parseParameters(query, pageParameters)
  if (values === undefined || issues.length > 0) return issues
  return { limit: values.limit, after: values.after, wantsAsOf: values.as_of }
}
