/**
 * The projector dies, at a random moment or at one exact place of its turn.
 *
 * Threatens: that a projection is the fold of exactly the events up to its checkpoint. Recovered as everywhere; whether
 * the states are right is seen at the end, when they are compared with a fold from the first event.
 */
import { defineFault, type Fault } from '../fault.ts'
import { mustEnd, partOf } from '../inject/parts.ts'

const killProjector = defineFault({
  name: 'kill-projector',
  about: 'kill -9 of the projector at a random moment',
  needs: ['processes'],
  async run({ target: { processes } }) {
    await processes.signal(await partOf(processes, 'projector'), 'SIGKILL')
  },
})

const dieProjecting = defineFault({
  name: 'die-projecting',
  about:
    'a second projector ends as by kill -9 at one place of its turn: locked, read, folded, written or committed',
  needs: ['extras'],
  async run({ target: { extras }, random }, signal) {
    const point = random.pick(['locked', 'read', 'folded', 'written', 'committed'])
    const extra = await extras.startProjector({ PROJECTOR_FAILPOINT: point })
    await mustEnd(extra, `the failpoint ${point}`, signal)
  },
})

export const projectorFaults: readonly Fault[] = [killProjector, dieProjecting]
