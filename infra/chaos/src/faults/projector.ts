/**
 * The projector dies, at a random moment or at one exact place of its turn.
 *
 * Threatens: that a projection is the fold of exactly the events up to its checkpoint. Recovered as everywhere; whether
 * the states are right is seen at the end, when they are compared with a fold from the first event.
 */
import { until } from '../clock.ts'
import { defineFault, type Fault } from '../fault.ts'

const killProjector = defineFault({
  name: 'kill-projector',
  about: 'kill -9 of the projector at a random moment',
  needs: ['processes'],
  async run({ target: { processes } }) {
    const projector = (await processes.parts()).find(({ kind }) => kind === 'projector')
    if (projector === undefined) throw new Error('there is no projector')
    await processes.signal(projector, 'SIGKILL')
  },
})

const deathMs = 20_000

const dieProjecting = defineFault({
  name: 'die-projecting',
  about:
    'a second projector ends as by kill -9 at one place of its turn: locked, read, folded, written or committed',
  needs: ['extras'],
  async run({ target: { extras }, random }, signal) {
    const point = random.pick(['locked', 'read', 'folded', 'written', 'committed'])
    const extra = await extras.startProjector({ PROJECTOR_FAILPOINT: point })
    if (await until(extra.hasEnded, deathMs, signal)) return
    extra.signal('SIGKILL')
    await extra.exited
    throw new Error(`${extra.name} never came to the failpoint ${point}`)
  },
})

export const projectorFaults: readonly Fault[] = [killProjector, dieProjecting]
