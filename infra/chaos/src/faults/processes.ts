/**
 * Processes that die, pause or leave.
 *
 * Threatens: exactly once and first in, first out (a turn cut off in the middle), conservation (a commit whose
 * acknowledgement never came), "it comes back by itself". Recovered when what was accepted until the fault's end is
 * accounted for and publishing is answered again, with nobody but the supervisor starting anything.
 */
import { defineFault, type FaultContext } from '../fault.ts'
import { restarted } from '../inject/parts.ts'
import type { Part, PartKind } from '../targets/target.ts'

type Context = FaultContext<'processes'>

const partsOf = async ({ target }: Context, ...kinds: PartKind[]): Promise<Part[]> =>
  (await target.processes.parts()).filter(({ kind }) => kinds.includes(kind))

export const killConsumer = defineFault({
  name: 'kill-consumer',
  about: 'kill -9 of one consumer at a random moment',
  needs: ['processes'],
  async run(context) {
    const consumers = await partsOf(context, 'consumer')
    if (consumers.length > 0) await context.target.processes.signal(context.random.pick(consumers), 'SIGKILL')
  },
})

export const killConsumers = defineFault({
  name: 'kill-consumers',
  about: 'kill -9 of all consumers at once',
  needs: ['processes'],
  async run(context) {
    for (const consumer of await partsOf(context, 'consumer')) {
      await context.target.processes.signal(consumer, 'SIGKILL')
    }
  },
})

export const killGateway = defineFault({
  name: 'kill-gateway',
  about: 'kill -9 of the gateway in the middle of requests',
  needs: ['processes'],
  async run(context) {
    for (const gateway of await partsOf(context, 'gateway')) {
      await context.target.processes.signal(gateway, 'SIGKILL')
    }
  },
})

export const pauseConsumer = defineFault({
  name: 'pause-consumer',
  about: 'SIGSTOP of one consumer for up to 10 s, longer than it may hold a turn, then SIGCONT',
  needs: ['processes'],
  async run(context) {
    const consumers = await partsOf(context, 'consumer')
    if (consumers.length === 0) return
    const sleeper = context.random.pick(consumers)
    await context.target.processes.signal(sleeper, 'SIGSTOP')
    await context.pause(context.random.int(500, 10_000))
    await context.target.processes.signal(sleeper, 'SIGCONT')
  },
})

export const rollingRestart = defineFault({
  name: 'rolling-restart',
  about:
    'SIGTERM of every consumer and dispatcher, of the projector and of the gateway, one after the other, under load',
  needs: ['processes'],
  async run(context, signal) {
    const parts = await partsOf(context, 'consumer', 'projector', 'dispatcher', 'gateway')
    for (const part of context.random.shuffled(parts)) {
      if (signal.aborted) return
      await context.target.processes.signal(part, 'SIGTERM')
      await restarted(context.target.processes, part, signal)
    }
  },
})

export const powerCut = defineFault({
  name: 'power-cut',
  about: 'kill -9 of every process at once: Redis, PostgreSQL, gateway, consumers, projector and dispatchers',
  needs: ['processes'],
  async run(context) {
    const parts = await context.target.processes.parts()
    await Promise.all(parts.map((part) => context.target.processes.signal(part, 'SIGKILL')))
  },
})
