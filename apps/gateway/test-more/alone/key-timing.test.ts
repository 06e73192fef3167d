/** A key whose first character is wrong is refused as late as one whose last is: what is compared are hashes. */
import { Agent, request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { ownKeys } from '../../test/own-keys.ts'
import { renamed, retyped } from '../../test/retyped.ts'

/** Each from an address of its own (127.0.0.0/8), because an address may show few keys that are wrong. */
const keys = 250
const triesOfEach = 20

test('wrong first and wrong last characters, and ids that there are not, take the same time', async () => {
  await using own = await ownKeys()
  const times = { first: [] as number[], last: [] as number[], unknown: [] as number[] }
  for (let n = 0; n < keys; n++) {
    const localAddress = `127.1.${n}.1`
    using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
      [Symbol.dispose]: () => agent.destroy(),
    })
    const ask = async (key: string) => {
      const headers = { Authorization: `Bearer ${key}` }
      const startedAt = performance.now()
      const status = await new Promise<number | undefined>((resolve, reject) => {
        request(`${own.url}/stats`, { agent, localAddress, headers })
          .on(
            'response',
            (response) => void textOf(response).then(() => resolve(response.statusCode), reject),
          )
          .on('error', reject)
          .end()
      })
      return { status, ms: performance.now() - startedAt }
    }
    const { text } = await own.make()
    expect((await ask(text)).status).toBe(200)
    // In turns, each with a secret that was not shown before, so that what else the machine does falls on all alike.
    for (let m = 0; m < triesOfEach * 2; m += 2) {
      const tries = {
        first: retyped(retyped(text, 0), 8 + m / 2),
        last: retyped(retyped(text, -1), 8 + m / 2),
        unknown: renamed(text, `${n}x${m}zzzzzzzzzzzz`.slice(0, 12)),
      }
      const kinds =
        m % 4 === 0 ? (['first', 'last', 'unknown'] as const) : (['unknown', 'last', 'first'] as const)
      for (const kind of kinds) {
        if (kind === 'unknown' && m >= 12) continue
        const { status, ms } = await ask(tries[kind])
        expect(status).toBe(401)
        times[kind].push(ms)
      }
    }
  }
  expect(times.first.length + times.last.length).toBe(10_000)
  const [first, last, unknown] = [median(times.first), median(times.last), median(times.unknown)]
  process.stdout.write(
    `refused after ${first.toFixed(3)} ms (first wrong), ${last.toFixed(3)} ms (last), ${unknown.toFixed(3)} ms (unknown)\n`,
  )
  expect(first / last).toBeGreaterThan(0.95)
  expect(first / last).toBeLessThan(1.05)
  expect(unknown / first).toBeGreaterThan(0.85)
  expect(unknown / first).toBeLessThan(1.15)
})

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
