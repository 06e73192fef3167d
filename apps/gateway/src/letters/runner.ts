/**
 * Runs operations: takes the lease of one that nobody runs, and goes on where it stood. Every gateway has a runner, and looks
 * every few seconds for what another has left behind. lease.ts in store says why a crash loses nothing and repeats nothing.
 *
 * What is in flight stays bounded: a topic that is full, a Redis that nearly is, and a server that is away make it wait. Only
 * what would fail for ever ends an operation.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Appender } from '@sekali/broker/append'
import { SekaliError } from '@sekali/core/errors'
import type { Event } from '@sekali/core/event'
import type { Logger } from '@sekali/process/log'
import type { Store } from '@sekali/store/connect'
import {
  claimOperation,
  finishOperation,
  type Lease,
  readRedrivable,
  redriveStep,
  releaseLease,
  renewLease,
  type Stepped,
} from '@sekali/store/lease'
import { isOneLeft, type Operation } from '@sekali/store/operations'
import type { Pressure } from '../pressure/pressure.ts'
import { eventOf } from './content.ts'

export interface RunnerDeps {
  readonly store: Store
  readonly appender: Pick<Appender, 'appendAll'>
  readonly pressure: Pick<Pressure, 'admit'>
  readonly log: Logger
  /** Aborted once this process is to leave: others go on then. */
  readonly signal: AbortSignal
}

export interface Runner extends AsyncDisposable {
  /** Looks for operations from now on, until it is disposed of. */
  start(): void
  /** Looks now: an operation has just begun. */
  kick(): void
}

/** Between two looks. With the lease's 10 seconds, what a dead gateway has left goes on within 15. */
const lookMs = 4_000
/** Operations that a gateway runs at a time. Each has a connection of the pool while it appends. */
const operationsMax = 2
/** Letters of a step, and how many steps there are in a second if the rate is small. */
const stepMax = 100
const stepsPerSecond = 4
/** Between two tries while something is full or away; shorter than a lease. */
const againMsMax = 3_000

export function createRunner(deps: RunnerDeps): Runner {
  const { store, log } = deps
  const ending = new AbortController()
  const signal = AbortSignal.any([deps.signal, ending.signal])
  const running = new Set<Promise<void>>()
  let looking: Promise<void> | undefined
  let isAskedAgain = false
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    while (running.size < operationsMax && !signal.aborted && (await isOneLeft(store))) {
      const holder = randomUUID()
      const operation = await claimOperation(store, holder)
      if (operation === undefined) return
      const lease = { operation: operation.id, holder }
      log.info({ operation: operation.id, from: operation.checkpoint }, 'runs an operation')
      const run = runOperation({ ...deps, signal }, operation, lease)
        .catch((err: unknown) => log.error({ err, operation: operation.id }, 'an operation broke off'))
        .finally(() => {
          running.delete(run)
          kick()
        })
      running.add(run)
    }
  }

  function kick(): void {
    if (signal.aborted) return
    isAskedAgain = true
    looking ??= (async () => {
      while (isAskedAgain && !signal.aborted) {
        isAskedAgain = false
        await look().catch(unlessKnown(log))
      }
      looking = undefined
    })()
  }

  return {
    start() {
      timer ??= setInterval(kick, lookMs).unref()
      kick()
    },
    kick,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      ending.abort()
      await looking
      await Promise.all(running)
    },
  }
}

/** PostgreSQL is away, which others say already. */
const unlessKnown = (log: Logger) => (err: unknown) => {
  if (!(err instanceof SekaliError)) log.error({ err }, 'look for operations failed')
}

/** Runs it to its end, or for as long as it is this process's. */
async function runOperation(deps: RunnerDeps, operation: Operation, lease: Lease): Promise<void> {
  const { store, log, signal } = deps
  const size = Math.min(stepMax, Math.ceil(operation.rate / stepsPerSecond))
  let checkpoint = operation.checkpoint
  while (!signal.aborted) {
    const nextAt = performance.now() + (size / operation.rate) * 1_000
    try {
      const behind = await step(deps, operation, lease, checkpoint, size)
      if (behind === 'lost') return
      if (behind === 'actor_ended') {
        await finishOperation(store, lease, actorEnded)
        return log.warn({ operation: operation.id }, 'operation ended with the key that began it')
      }
      if (behind === 'over') {
        await finishOperation(store, lease)
        return log.info({ operation: operation.id }, 'operation is done')
      }
      checkpoint = behind
      await pause(nextAt - performance.now(), signal)
    } catch (error) {
      if (!(await isWorthAnotherTry(deps, lease, error))) return
    }
  }
  await releaseLease(store, lease).catch(unlessKnown(log))
}

const actorEnded =
  'the key or token that began it has been revoked or has expired: begin it again with one that is valid'

/** One step. Resolves with the checkpoint behind it; `over`: there is nothing left; otherwise why it may not go on. */
async function step(
  { store, appender, pressure }: RunnerDeps,
  operation: Operation,
  lease: Lease,
  checkpoint: number,
  size: number,
): Promise<number | 'over' | Exclude<Stepped, 'ours'>> {
  const letters = await readRedrivable(store, operation, checkpoint, size)
  const last = letters.at(-1)
  if (last === undefined) return 'over'
  const events = new Map<number, Event>()
  for (const { number, topic, entryId, fields } of letters) {
    const event = eventOf(topic, entryId, JSON.parse(fields) as string[])
    if (event !== undefined) events.set(number, event)
  }
  pressure.admit([...events.values()])
  const without = letters.length - events.size
  const stepped = await redriveStep(
    store,
    lease,
    {
      checkpoint: last.number,
      letters: [...events.keys()],
      skipped: without > 0 ? { not_an_event: without } : {},
    },
    async (taken) => {
      const { failure } = await appender.appendAll(
        [...events].flatMap(([number, event]) => (taken.has(number) ? [event] : [])),
      )
      if (failure !== undefined) throw failure
    },
  )
  return stepped === 'ours' ? last.number : stepped
}

/** Waits after what may pass by itself, as long as the lease is ours; ends the operation after what will not. */
async function isWorthAnotherTry(
  { store, log, signal }: RunnerDeps,
  lease: Lease,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof SekaliError) || !error.retryable) {
    log.error({ err: error, operation: lease.operation }, 'operation failed')
    await finishOperation(store, lease, 'this is a fault of the gateway; its log tells more').catch(
      unlessKnown(log),
    )
    return false
  }
  const waitMs = 'waitSeconds' in error ? Number(error.waitSeconds) * 1_000 : 1_000
  await pause(Math.min(waitMs, againMsMax), signal)
  // While PostgreSQL is away nobody can take the lease either.
  return await renewLease(store, lease).catch(() => true)
}

/** Ends early once the process is to leave. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  ms <= 0 ? Promise.resolve() : sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
