/**
 * Sees to one endpoint: takes turns, and sends what they hand out.
 *
 * A turn is a transaction that begins and ends while nothing of it is on its way: it writes down what came of earlier events and
 * hands out others (store/push/turn.ts). Between two turns this process holds nothing in PostgreSQL but leases, which run out by
 * themselves: killed with requests on their way it leads to a repeat, and to no loss. What became of an event waits for the
 * next turn, or `lingerMs`, so that an endpoint that keeps up costs one transaction an event and not two. If a turn fails, its
 * outcomes go along with the next one; settling twice does nothing.
 */
import type { PushTarget } from '@sekali/store/push-dispatch'
import type { PushTurn } from '@sekali/store/push-types'
import type { SealKey } from '@sekali/webhook/key'
import { dispatcherLimits as limits } from '../limits.ts'
import type { Line } from '../send/post.ts'
import type { Signing } from '../send/request.ts'
import { type DeliveryContext, deliver } from './deliver.ts'
import { type Asked, createKnown } from './known.ts'
import { createOutcomes } from './outcomes.ts'
import { createPace } from './pace.ts'
import type { SharedSlots } from './shared-slots.ts'
import { signingOf } from './signing.ts'
import { createSlots, type Room } from './slots.ts'
import { createTurns, type TurnsDeps } from './turns.ts'

export interface EndpointDeps extends TurnsDeps, Pick<DeliveryContext, 'at' | 'cut'> {
  readonly sealKey: SealKey
  readonly shared: SharedSlots
  readonly openLine: (target: PushTarget) => Line
}

export interface RunningEndpoint {
  readonly target: PushTarget
  /** Something is stored that may be for it. */
  onStored(): void
  /** What there is to know of it now. */
  update(target: PushTarget): void
  /** Takes nothing more; resolves once all that is on its way is written down, or it is abandoned. */
  drain(): Promise<void>
  /** Does nothing more: what is not written down is left to its lease. */
  abandon(): void
}

const nothing: Room = { firstMax: 0, againMax: 0, max: 0 }
const timerMsMax = 60_000

export function runEndpoint(deps: EndpointDeps, first: PushTarget): RunningEndpoint {
  const { log, shared, metrics, at, cut } = deps
  const known = createKnown()
  const pace = createPace()
  const slots = createSlots()
  const outcomes = createOutcomes(limits.lingerMs)
  const turns = createTurns(deps, outcomes)
  const drained = Promise.withResolvers<void>()
  let target = first
  let line = deps.openLine(target)
  let signing: Signing | undefined
  let isDraining = false
  let state: PushTurn['endpoint'] = null
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isAbandoned = false

  function apply(): void {
    pace.set(target.concurrency, target.ratePerSecond)
    slots.set(target.concurrency)
    try {
      signing = signingOf(deps.sealKey, target)
    } catch (error) {
      signing = undefined
      log.error({ subscription: target.name, err: error }, 'secrets cannot be read, so nothing is sent')
    }
    if (signing !== undefined && signing.keys.length < target.secrets.length)
      log.warn({ subscription: target.name }, 'some of its secrets cannot be read, and do not sign')
  }

  /** What a turn may hand out: as much is reserved, and to be given back once the turn is over. */
  function reserve(): Room {
    if (isDraining || signing === undefined) return nothing
    const begin = shared.reserve(pace.room(slots.sending), slots.sending)
    const room = slots.room(begin, known.mayFirst, known.mayAgain)
    shared.giveBack(begin - room.max)
    return room
  }

  /** Takes turns as long as there is something to do, then sets a timer for when there may be. */
  function wake(): void {
    if (isRunning) return
    isRunning = true
    void run().finally(() => {
      isRunning = false
      schedule()
    })
  }

  async function run(): Promise<void> {
    while (turns.waitMs() === 0 && !isAbandoned) {
      const room = reserve()
      if (room.max === 0 && !outcomes.isDue && !(isDraining && outcomes.count > 0)) return
      if (room.max > 0) known.begin()
      const asked = { ...room, settled: outcomes.count }
      try {
        const turn = await turns.take(target, room)
        if (turn === undefined) known.forget()
        else onTurn(turn, asked)
      } finally {
        shared.giveBack(room.max)
      }
    }
  }

  function schedule(): void {
    clearTimeout(timer)
    if (isAbandoned || (isDraining && slots.sending === 0 && outcomes.count === 0)) {
      drained.resolve()
      return
    }
    const mayBegin = known.mayFirst || known.mayAgain
    const waits = [
      turns.waitMs() || undefined,
      isDraining ? undefined : outcomes.waitMs(),
      known.dueInMs(),
      (mayBegin && pace.waitMs()) || undefined,
    ].filter((ms) => ms !== undefined)
    if (waits.length > 0) timer = setTimeout(wake, Math.min(Math.max(1, Math.min(...waits)), timerMsMax))
  }

  function onTurn(turn: PushTurn, asked: Asked): void {
    at('written')
    if (turn.items.length > 0) at('handed_out')
    known.onTurn(turn, asked)
    if (outcomes.count > 0) known.onAnswer() // which came meanwhile
    if (turn.state !== 'given') pace.restart()
    noteState(turn.endpoint)
    if (signing === undefined) {
      // Somebody changed it meanwhile: what cannot be sent has cost no attempt.
      for (const { token } of turn.items) outcomes.add({ token, do: 'release' })
      return
    }
    pace.onBegun(turn.requests.length)
    const context = { target, line, signing, log, metrics, at, cut }
    for (const items of turn.requests) {
      // What was out before counts as a retry, also where nothing of it was sent.
      const isFirst = items[0]?.attempt === 1
      slots.take(isFirst)
      const bytes = items.reduce((sum, { event }) => sum + event.payload.length, 0)
      shared.take(bytes)
      void deliver(context, items, turn.isProbe ? 'probe' : 'event').then((outcome) => {
        slots.free(isFirst)
        shared.free(bytes)
        if (outcome.do === 'ack') pace.onSuccess()
        else pace.onFailure()
        outcomes.add(outcome)
        known.onAnswer()
        wake()
      })
    }
  }

  function noteState(now: PushTurn['endpoint']): void {
    if (now === null || now === state) return
    const about = { subscription: target.name, state: now }
    if (now !== 'active') log.warn(about, 'endpoint fails')
    else if (state !== null) log.info(about, 'endpoint answers again')
    state = now
  }

  apply()
  wake()

  return {
    get target() {
      return target
    },
    onStored() {
      known.onNews('first')
      wake()
    },
    update(next) {
      const { version, url, concurrency } = target
      target = next
      if (url !== next.url || concurrency !== next.concurrency) {
        void line.end()
        line = deps.openLine(target)
      }
      if (version !== next.version) {
        apply()
        known.forget()
        pace.restart()
      }
      if (next.isDue) known.onNews('again')
      wake()
    },
    async drain() {
      isDraining = true
      wake()
      await drained.promise
      if (!isAbandoned) await line.end()
    },
    abandon() {
      isAbandoned = true
      void line.end()
      schedule()
    },
  }
}
