/**
 * Dispatchers that die, or stand still, at a random moment or at one exact place.
 *
 * Threatens: that each event is delivered, dead or still to be settled (what a dead one was sending must go out again), that
 * attempts stay, and the order of a source: what goes out again must not be overtaken. Recovered as everywhere; what receivers
 * note is judged at the end.
 */
import { defineFault, type Fault } from '../fault.ts'
import { mustEnd, partOf } from '../inject/parts.ts'
import { leaseMs } from '../receivers/plan.ts'

const killDispatcher = defineFault({
  name: 'kill-dispatcher',
  about: 'kill -9 of one dispatcher at a random moment',
  needs: ['processes', 'webhooks'],
  async run({ target: { processes }, random }) {
    const found = (await processes.parts()).filter(({ kind }) => kind === 'dispatcher')
    if (found.length === 0) throw new Error('there is no dispatcher')
    await processes.signal(random.pick(found), 'SIGKILL')
  },
})

const killDispatchers = defineFault({
  name: 'kill-dispatchers',
  about: 'kill -9 of all dispatchers at once',
  needs: ['processes', 'webhooks'],
  async run({ target: { processes } }) {
    for (const part of await processes.parts())
      if (part.kind === 'dispatcher') await processes.signal(part, 'SIGKILL')
  },
})

const pauseDispatcher = defineFault({
  name: 'pause-dispatcher',
  about: 'SIGSTOP of one dispatcher for up to 3 s, or past the leases of what it was sending, then SIGCONT',
  needs: ['processes', 'webhooks'],
  async run({ target: { processes }, random, pause }) {
    const sleeper = await partOf(processes, 'dispatcher')
    const ms = random.chance(1 / 5) ? leaseMs + 1_000 : random.int(300, 3_000)
    await processes.signal(sleeper, 'SIGSTOP')
    await pause(ms)
    await processes.signal(sleeper, 'SIGCONT')
  },
})

const deaths: Record<string, string> = {
  handed_out: 'when events are handed out to it, and none is sent',
  sending: 'before it sends one',
  answered: 'when an answer has come, and is not written down',
  written: 'when it is written down what came of some',
}

const dying = Object.entries(deaths).map(([point, when]) =>
  defineFault({
    name: `die-${point.replace('_', '-')}`,
    about: `a dispatcher ends as by kill -9 ${when}`,
    needs: ['extras', 'webhooks'],
    async run({ target, random }, signal) {
      const probability = random.pick([1, 0.3])
      const extra = await target.extras.startDispatcher({ DISPATCHER_FAILPOINT: `${point}:${probability}` })
      await mustEnd(extra, `the failpoint ${point}`, signal)
    },
  }),
)

const dropTurnReply = defineFault({
  name: 'drop-turn-reply',
  about: "PostgreSQL carries out a dispatcher's turn, its answer is swallowed and the connection cut",
  needs: ['proxies', 'webhooks'],
  async run({ target: { proxies } }, signal) {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(10_000)])
    if (!(await proxies['consumer-postgres'].dropReply(/push_turn/, deadline)))
      throw new Error('no turn in 10 s')
  },
})

export const dispatcherFaults: readonly Fault[] = [
  killDispatcher,
  killDispatchers,
  pauseDispatcher,
  ...dying,
  dropTurnReply,
]
