/**
 * Keys that change in the middle of traffic.
 *
 * Threatens: whoever has the new key must not notice, tails included, which end when the old one expires and go on behind
 * the last event that they got; whoever has a revoked key must be out within seconds, also when no hint came.
 */
import { until } from '../clock.ts'
import { defineFault, insist, PromiseBroken } from '../fault.ts'

const rotateKey = defineFault({
  name: 'rotate-key',
  about: 'all clients get another key; the old one, with which tails are open, expires 30 s later',
  needs: ['keys'],
  run: ({ target: { keys } }) => insist(() => keys.rotate()),
})

const revokedMsMax = 5_000
const startMs = 15_000

const revokeKeyFault = defineFault({
  name: 'revoke-key',
  about:
    'a key with an open tail is revoked and no gateway is told: 5 s later it opens nothing, and its tail has ended',
  needs: ['keys'],
  alone: true,
  async run({ target: { keys, quietUrl }, topics: [topic] }, signal) {
    const { id, text } = await keys.makeReader()
    const headers = { authorization: `Bearer ${text}` }
    const ask = (path: string) => fetch(`${quietUrl}${path}`, { headers, signal })
    let tail: Response | undefined
    const isOpen = async () => {
      tail = await ask(`/tail?topic=${topic}&from=now`)
      return tail.status === 200
    }
    if (!(await until(isOpen, startMs, signal))) throw new Error('its tail could not be opened')
    let hasEnded = false
    void tail
      ?.text()
      .catch(() => undefined)
      .then(() => {
        hasEnded = true
      })
    await keys.revoke(id)
    const isOut = async () => hasEnded && (await ask(`/events?topic=${topic}&limit=1`)).status === 401
    if ((await until(isOut, revokedMsMax, signal)) || signal.aborted) return
    const what = hasEnded ? 'still opens the door' : 'still has its tail'
    throw new PromiseBroken(`a revoked key ${what} after ${revokedMsMax / 1_000} s`)
  },
})

export const keyFaults = [rotateKey, revokeKeyFault]
