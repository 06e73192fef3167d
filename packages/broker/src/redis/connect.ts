/**
 * A connection to Redis that fails fast and never repeats a command behind our back.
 *
 * ioredis by default keeps commands while it is disconnected and sends them again after a reconnect, also those
 * whose promise has long timed out. For an append that means entries nobody waits for any more, and in another
 * order. So here: no queue while disconnected, no re-sending, every command in flight rejected as soon as the
 * connection closes (`maxRetriesPerRequest: 0`), and a call over its deadline takes its connection down with it,
 * because that is the only way to be sure that it cannot still be sent. A rejected append may or may not have
 * happened; the publisher repeats it and the unique key absorbs it.
 */
import { withDeadline } from '@sekali/core/deadline'
import { BrokerUnavailable, InvalidConfig } from '@sekali/core/errors'
import { isSentinelUrl, parseSentinelUrl } from '@sekali/core/sentinel-url'
import { triedAt } from '@sekali/core/tried'
import { knownTrouble, sentenceOf, troubleOf } from '@sekali/core/trouble'
import { Redis } from 'ioredis'
import type { Log } from './log.ts'
import { type Sentinels, watchSentinels } from './sentinels.ts'
import { stayConnected } from './stay-connected.ts'

export interface BrokerConfig {
  /** `redis://`, `rediss://` or `redis+sentinel://`, with user and password where Redis asks for them. */
  readonly url: string
  /** What every key and channel begins with. */
  readonly prefix: string
  /** Shown by Redis's CLIENT LIST. */
  readonly name: string
  /** After so long without an answer a call is given up, in milliseconds. */
  readonly callMs?: number
  /** For a second connection: the first says already when Redis is away. */
  readonly isQuiet?: boolean
  /** An append is acknowledged once so many replicas have it; see append/replicas.ts. */
  readonly replicasMin?: number
}

export interface Broker extends AsyncDisposable {
  readonly redis: Redis
  readonly prefix: string
  readonly callMs: number
  readonly replicasMin: number
  readonly log: Log
  /** What ended or kept off the connection last; undefined while there is one. */
  readonly lost: () => Error | undefined
  /** Where it connects to and as whom, in words for a log. */
  readonly tried: string
  /** Host and port of the primary that Sentinels have named last; undefined without any. */
  readonly primary: () => string | undefined
}

/**
 * Connects in the background and reconnects for ever; calls made meanwhile fail at once. Throws `InvalidConfig` if a URL of
 * Sentinels is wrong.
 */
export function connectBroker(config: BrokerConfig, log: Log): Broker {
  const { url, prefix, name, callMs = 1_000, isQuiet = false, replicasMin = 0 } = config
  const sentinelUrl = isSentinelUrl(url) ? parseSentinelUrl(url) : undefined
  if (typeof sentinelUrl === 'string') throw new InvalidConfig(`REDIS_URL: ${sentinelUrl}`)
  const sentinels = sentinelUrl && watchSentinels(sentinelUrl, callMs)
  const options = {
    ...failFast,
    connectionName: name,
    connectTimeout: 2 * callMs,
    // The handshake has no deadline of its own: a stalled server would otherwise hold a new connection for ever.
    socketTimeout: 4 * callMs,
  }
  const redis =
    sentinels === undefined
      ? new Redis(url, options)
      : new Redis({
          ...options,
          ...sentinelUrl?.redis,
          ...(sentinelUrl?.isTls && { tls: {} }),
          Connector: sentinels.Connector,
        })
  const tried = () => {
    const primary = sentinels?.primary()
    return primary === undefined ? triedAt(url) : `${triedAt(url)}, which name ${primary}`
  }
  const { lost, forget } = watchConnection(redis, tried, isQuiet ? undefined : log, sentinels)
  const letEnd = stayConnected(redis)
  const dispose = () => {
    forget()
    letEnd()
    sentinels?.close()
    return close(redis, callMs)
  }
  return {
    redis,
    prefix,
    callMs,
    replicasMin,
    log,
    lost,
    get tried() {
      return tried()
    },
    primary: () => sentinels?.primary(),
    [Symbol.asyncDispose]: dispose,
  }
}

const failFast = {
  // RESP2 replies are plain arrays on every server and version that we support.
  protocol: 2,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 1_000) * (0.5 + Math.random() / 2),
  // A demoted primary answers READONLY on a healthy connection; a new one may reach the new primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const

/**
 * Keeps what was last heard of a connection that is not there, because calls made meanwhile only learn that there is none:
 * a wrong password, say, comes on `error` alone. In the log it is one line when the connection is lost and one when it is
 * back, however often is tried in between.
 */
function watchConnection(
  redis: Redis,
  tried: () => string,
  log: Log | undefined,
  sentinels: Sentinels | undefined,
) {
  let lost: Error | undefined
  let wasReady = false
  let isSaid = false
  const note = (err: Error) => {
    lost = err
    if (!isSaid) log?.warn({ err }, `redis unreachable: ${sentenceOf(troubleOf('Redis', err))}. ${tried()}`)
    isSaid = true
  }
  redis.on('error', note)
  const onClose = () => {
    // Closed without a word before anything was answered: it may want TLS. Once it has answered, what follows tells.
    if (!wasReady && lost === undefined) note(new Error('Connection is closed.'))
    wasReady = false
  }
  redis.on('close', onClose)
  redis.on('ready', () => {
    const primary = sentinels?.primary()
    if (primary !== undefined) log?.info({ primary }, isSaid ? 'redis reachable again' : 'redis reachable')
    else if (isSaid) log?.info('redis reachable again')
    wasReady = true
    isSaid = false
    lost = undefined
  })
  return { lost: () => lost, forget: () => void redis.off('close', onClose) }
}

async function close(redis: Redis, callMs: number): Promise<void> {
  // QUIT lets Redis answer what is under way; a connection that is not there has nothing to answer.
  if (redis.status === 'ready') {
    await inTime(redis.quit(), callMs, () => undefined).catch(() => undefined)
  }
  redis.disconnect()
}

/** Resolves with what `call` does, or takes the connection down after `callMs` and rejects. */
export async function ask<T>(broker: Broker, what: string, call: (redis: Redis) => Promise<T>): Promise<T> {
  try {
    return await inTime(call(broker.redis), broker.callMs, () => broker.redis.disconnect(true))
  } catch (error) {
    if (error instanceof BrokerUnavailable) throw error
    // Without a connection the call knows only that: what keeps it off says why.
    const cause = (broker.redis.status !== 'ready' && broker.lost()) || error
    const trouble = knownTrouble('Redis', cause)
    throw new BrokerUnavailable(`${what} failed${trouble ? `: ${sentenceOf(trouble)}` : ''}`, { cause })
  }
}

type Send = (redis: Redis) => Promise<unknown>[]

/**
 * Sends commands in one write; each one's outcome stands alone: a reply, or the `Error` that it failed with.
 *
 * Not as a pipeline of ioredis: that defines a getter of its own on every pipeline, which V8 keeps with a hidden class
 * of its own, and so every pipeline, its commands and their replies live until the next full collection. Of what the
 * gateway allocated a quarter survived that way, and was copied around by every collection in between.
 */
export const askAll = (broker: Broker, what: string, send: Send): Promise<unknown[]> =>
  ask(broker, what, async (redis) => {
    const outcomes = await Promise.allSettled(inOneWrite(redis, () => send(redis)))
    return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason))
  })

/**
 * MULTI, commands and EXEC in one write, without ioredis's `multi()`, which is a pipeline. Resolves with each command's
 * reply, or the `Error` that Redis answered with; rejects when Redis refuses to run them.
 */
export async function transact(redis: Redis, send: Send): Promise<unknown[]> {
  const sent = inOneWrite(redis, () => [redis.call('MULTI'), ...send(redis), redis.call('EXEC')])
  const exec = sent.pop()
  for (const queued of sent) queued.catch(() => undefined) // EXEC fails then, too
  return (await exec) as unknown[]
}

/** What `send` sends at once goes out in one write: each wakes the other end, and that is what small calls cost. */
function inOneWrite<T>({ stream }: Redis, send: () => T): T {
  stream?.cork() // none before the first connection: then the commands fail at once
  try {
    return send()
  } finally {
    stream?.uncork()
  }
}

/** The same for all that the calls which `begin` begins send before they have to wait for an answer. */
export function inOnePass<T>({ redis: { stream } }: Broker, begin: () => T): T {
  stream?.cork()
  setImmediate(() => stream?.uncork())
  return begin()
}

/** Runs several calls that must all be done within `ms`, or takes the connection down under them and rejects. */
export const askWithin = <T>(broker: Broker, ms: number, work: () => Promise<T>): Promise<T> =>
  inTime(work(), ms, () => broker.redis.disconnect(true))

/** Waits until commands can be sent. Rejects with {@link BrokerUnavailable} when that takes longer than `deadlineMs`. */
export async function untilConnected(broker: Broker, deadlineMs: number): Promise<void> {
  const { redis } = broker
  if (redis.status === 'ready') return
  const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  await inTime(ready, deadlineMs, () => undefined)
}

const inTime = <T>(work: Promise<T>, ms: number, onDeadline: () => void): Promise<T> =>
  withDeadline(work, ms, () => {
    onDeadline()
    throw new BrokerUnavailable(`no answer from redis within ${ms} ms`)
  })
