/** What /healthz and /readyz of a process that stores in turns say, and how it finds out. */
import { withDeadline } from '@sekali/core/deadline'
import { StoreUnavailable } from '@sekali/core/errors'
import { sentenceOf, troubleOf } from '@sekali/core/trouble'
import type { Server } from '@sekali/core/url-variables'
import type { Logger } from '../start/log.ts'
import type { ListenerRoute } from './listener.ts'

/** What a look at a server finds. */
export interface Findings {
  /** What keeps it from doing what is needed of it. */
  readonly problems: readonly string[]
  /** What weakens a promise, or slows the work down. */
  readonly warnings: readonly string[]
}

/** A server does what is needed of it, it answers and does not, or there is no answer. */
type Fitness = 'ok' | 'unfit' | 'unavailable'

export interface Look extends Findings {
  readonly state: Fitness
}

export interface Health {
  readonly broker: Look
  readonly store: Look
  /** What else a process needs. */
  readonly own?: Findings
}

/** It answers: that it may not, or cannot do what it was asked for. */
const refusals = /^(25|42|53100)/

/** Less than a route has to answer. */
const lookMsMax = 1_200
/** Between two looks, however many ask: a look writes. */
const lookEveryMs = 1_000

/**
 * Returns a function that looks at a server and never rejects: why the look failed, or took too long, is the problem then.
 * Those who ask during a look, and soon after it began, share it; one that hangs is not joined by a second one.
 */
export function createLook(
  server: Server,
  look: () => Promise<Findings>,
  lookMs = lookMsMax,
  everyMs = lookEveryMs,
): () => Promise<Look> {
  let last: { readonly outcome: Promise<Look>; readonly atMs: number; isDone: boolean } | undefined
  const unavailable = (error: unknown): Look => {
    const trouble = troubleOf(server, error)
    const state = refusals.test(trouble.code) ? 'unfit' : 'unavailable'
    return { state, problems: [sentenceOf(trouble)], warnings: [] }
  }
  const begin = () => {
    const outcome = look().then(
      (found): Look => ({ state: found.problems.length === 0 ? 'ok' : 'unfit', ...found }),
      unavailable,
    )
    const begun = { outcome, atMs: performance.now(), isDone: false }
    void outcome.then(() => {
      begun.isDone = true
    })
    return begun
  }
  return async () => {
    if (last === undefined || (last.isDone && performance.now() - last.atMs >= everyMs)) last = begin()
    return await withDeadline(last.outcome, lookMs, () => unavailable(undefined))
  }
}

/** For a server without which the work goes on. */
export const asWarning = ({ state, problems, warnings }: Look): Look => ({
  state,
  problems: [],
  warnings: [...problems, ...warnings],
})

/**
 * The routes of /healthz and /readyz. `signal` is aborted once the process is to leave. They need no key, so they say what
 * is wrong with a server, and not where it is.
 */
export function healthRoutes(check: () => Promise<Health>, signal: AbortSignal): ListenerRoute[] {
  const ready = async () => {
    const { broker, store, own } = await check()
    const all: readonly Findings[] = [broker, store, ...(own ? [own] : [])]
    const problems = all.flatMap((one) => one.problems)
    const warnings = all.flatMap((one) => one.warnings)
    const isReady = problems.length === 0 && !signal.aborted
    const status = isReady ? 'ready' : signal.aborted ? 'draining' : 'not_ready'
    const body = { status, broker: broker.state, store: store.state, problems, warnings }
    return { status: isReady ? 200 : 503, body: JSON.stringify(body) }
  }
  return [
    // This process serves. Nothing else is looked at: a restart would not cure what it depends on.
    { path: '/healthz', answer: () => ({ status: 200, body: '{"status":"ok"}' }) },
    { path: '/readyz', answer: ready, answersOptions: true },
    { path: '/', answer: ready, answersOptions: true },
  ]
}

/** Logs, at the start, what is in the way; `tried` says where each server is, and after a look what was the matter there. */
export async function logHealth(
  check: () => Promise<Health>,
  servers: Readonly<Record<'broker' | 'store', { readonly tried: string }>>,
  log: Logger,
): Promise<void> {
  const health = await check()
  for (const server of ['broker', 'store'] as const) {
    const { problems, warnings } = health[server]
    const name = server === 'broker' ? 'redis' : 'postgres'
    if (server === 'broker' && health.broker.state === 'unavailable') continue // its connection says so itself
    for (const text of problems) log.error(`${name}: ${text}. ${servers[server].tried}`)
    for (const text of warnings) log.warn(`${name}: ${text}`)
  }
}

/** Why turns fail, if it is PostgreSQL's fault: a full disk, say, which a look does not meet. */
export function failureOf(error: unknown): string | undefined {
  if (error instanceof StoreUnavailable) return `turns fail: ${sentenceOf(troubleOf('PostgreSQL', error))}`
  return error instanceof Error ? failureOf(error.cause) : undefined
}
